"""Bytes lost at servers that read slower than the line, with factory settings."""

import threading
import time
from contextlib import ExitStack

from .device import Device, tcp_link
from .servers import Collector
from .table import spread

MIB = 1024 * 1024
# No `+` is in it: the escape has nothing to do with this.
PATTERN = bytes(range(0x80, 0xC0)) * 1024


def slow(programs, table, plan):
    figures = {}
    for _ in range(plan.slow_rounds):
        for program, binary in programs.items():
            for rates, name in (((plan.rate,), "on one link"),
                                ((plan.rate,) * 3 + (0,), "a good link of four, one of which never reads")):
                lost, dropped, took = push(binary, plan.bulk, rates)
                row = f"bytes lost of {plan.bulk // MIB} MiB at {plan.rate / MIB:.0f} MiB/s, {name}"
                figures.setdefault((row, program), []).extend(lost)
                figures.setdefault((f"the same, counted by AT+CISTAT as dropped ({name})", program), []).extend(dropped)
                figures.setdefault((f"the same: s until the line took all ({name})", program), []).append(took)
    for (row, program), values in figures.items():
        table.put(row, program, spread(values, 1 if "until" in row else 0))


def push(binary, size, rates):
    """What each server that reads lacks in the end, what the device says it dropped there, and how long it took."""
    with ExitStack() as stack:
        servers = [stack.enter_context(Collector(rate, keep=False)) for rate in rates]
        at = [tcp_link(number, server.port) for number, server in enumerate(servers, 1)]
        device = stack.enter_context(Device(binary, at))
        line = device.line()
        stack.callback(line.close)
        await_connections(servers)
        begin = time.monotonic()
        writer = threading.Thread(target=write, args=(line, size), daemon=True)
        writer.start()
        writer.join(20 + 2 * size / max(rates))
        took = time.monotonic() - begin if not writer.is_alive() else float("inf")
        good = [(number, server) for number, (server, rate) in enumerate(zip(servers, rates), 1) if rate]
        for _, server in good:
            server.await_silence(3)
        dropped = [] if writer.is_alive() else [line.statistics(number)["dropped"] for number, _ in good]
        return [size - server.count for _, server in good], dropped, took


def await_connections(servers):
    deadline = time.monotonic() + 20
    while any(server.connection is None for server in servers) and time.monotonic() < deadline:
        time.sleep(0.02)


def write(line, size):
    try:
        for begin in range(0, size, len(PATTERN)):
            line.send(PATTERN[:size - begin])
    except OSError:
        pass
