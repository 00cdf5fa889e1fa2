"""Seconds to be back after the server was away: its listener closed, its connections reset."""

import asyncio
import socket
import struct
import time

from .device import HOST, Device, free_port, tcp_link
from .table import late

RESET = struct.pack("ii", 1, 0)


class Server:
    """The server of one herd. A device tells by its registration packet who it is."""

    def __init__(self):
        self.port = free_port()
        self.listener = None
        self.writers = {}
        self.accepted = {}

    async def open(self):
        self.accepted = {}
        self.listener = await asyncio.start_server(self.serve, HOST, self.port, backlog=256)

    async def serve(self, reader, writer):
        now = time.monotonic()
        try:
            who = int(await reader.readexactly(4), 16)
            self.accepted.setdefault(who, now)
            self.writers[who] = writer
            while await reader.read(4096):
                pass
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    def cut(self):
        if self.listener is not None:
            self.listener.close()
        for writer in self.writers.values():
            connection = writer.get_extra_info("socket")
            if connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        self.writers = {}

    async def all_back(self, count, seconds):
        """When each was accepted, as far as it was."""
        deadline = time.monotonic() + seconds
        while len(self.accepted) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        return dict(self.accepted)


class Herd:
    """Devices of one program, and their server."""

    def __init__(self, name, binary, count):
        self.name, self.binary, self.count = name, binary, count
        self.server = Server()
        self.devices = []

    async def start(self):
        await self.server.open()
        for who in range(self.count):
            packet = f"{who:04x}".encode().hex()
            at = [f'CIPPACK=1,"{packet}",0', tcp_link(1, self.server.port)]
            self.devices.append(await asyncio.to_thread(Device, self.binary, at))
        if len(await self.server.all_back(self.count, 30)) < self.count:
            raise TimeoutError("not every device came to the server")

    async def close(self):
        self.server.cut()
        for device in self.devices:
            device.close()
        # The connections' tasks see their end before the loop has its own.
        await asyncio.sleep(0.2)


async def with_herds(programs, count, work):
    herds = [Herd(name, binary, count) for name, binary in programs.items()]
    try:
        for herd in herds:
            await herd.start()
        await asyncio.gather(*(work(herd) for herd in herds))
    finally:
        for herd in herds:
            await herd.close()


def outages(programs, table, plan):
    """Apart from each other: the devices were up for `plan.up` seconds before each one."""

    async def work(herd):
        for seconds in plan.outages:
            await asyncio.sleep(plan.up)
            herd.server.cut()
            await asyncio.sleep(seconds)
            await herd.server.open()
            again = time.monotonic()
            came = await herd.server.all_back(herd.count, 2 * seconds + 45)
            times = [came.get(who, float("inf")) - again for who in range(herd.count)]
            row = (f"back after an outage of {seconds} s, up {plan.up} s before, "
                   f"{herd.count} devices: s (p50, p90, max)")
            table.put(row, herd.name, late(times))
            row = f"the same outage of {seconds} s: most devices in one 100 ms"
            table.put(row, herd.name, str(most_in(times, 0.1)))

    asyncio.run(with_herds(programs, plan.devices, work))


def most_in(times, window):
    return max(sum(begin <= other < begin + window for other in times) for begin in times)


def cuts(programs, table, plan):
    """A cut of 1 s every 20 s: from the end of a cut until the device is there, be it after later cuts."""
    period, away, number = plan.cuts

    async def work(herd):
        since, times = {}, []
        for cut in range(number + 1):
            # At the last turn only the late ones are waited for.
            await asyncio.sleep(period - away if cut else plan.up)
            for who, when in herd.server.accepted.items():
                if who in since:
                    began, counted = since.pop(who)
                    times += [when - began] if counted else []
            if cut == number:
                break
            there = set(herd.server.writers)
            herd.server.cut()
            await asyncio.sleep(away)
            await herd.server.open()
            # The first two cuts only make it used to them.
            since |= {who: (time.monotonic(), cut >= 2) for who in there}
        came = await herd.server.all_back(herd.count, 45)
        times += [came.get(who, float("inf")) - began for who, (began, counted) in since.items() if counted]
        row = (f"back after each of {number - 2} cuts of {away} s every {period} s, "
               f"{herd.count} devices: s (p50, p90, max)")
        table.put(row, herd.name, late(times))

    asyncio.run(with_herds(programs, plan.devices, work))
