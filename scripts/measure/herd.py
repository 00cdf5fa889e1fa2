"""A herd behind a server whose SYNs were dropped while it was away: the kernel's repeats must not bring all in one moment."""

import sys
import threading
import time

from .device import Device, tcp_link
from .netns import SERVER_SIDE, Sink, Wire, connections, inside, missing
from .outages import most_in
from .table import late

PORT = 20000


def herd(programs, table, plan):
    if reason := missing():
        print(f"the herd behind dropped SYNs is NOT measured: {reason}", file=sys.stderr)
        return
    failures = []
    threads = [threading.Thread(target=one, args=(*program, table, plan, failures)) for program in programs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def one(program, binary, table, plan, failures):
    devices = []
    try:
        with Wire() as wire:
            sink = Sink(wire.server, [PORT])
            try:
                for _ in range(plan.devices):
                    devices.append(Device(binary, [tcp_link(1, PORT, SERVER_SIDE)], inside=inside(wire.device)))
                for seconds in plan.outages[1:]:
                    time.sleep(plan.up)
                    sink.close()
                    wire.cut([PORT], "tcp flags & (syn | ack) == syn")
                    time.sleep(seconds)
                    sink = Sink(wire.server, [PORT])
                    wire.mend()
                    times = seen(devices, 2 * seconds + 45)
                    row = f"SYNs dropped for {seconds} s, up {plan.up} s before, {plan.devices} devices: s back (p50, p90, max)"
                    table.put(row, program, late(times))
                    table.put(f"the same, {seconds} s: most devices in one 100 ms", program, str(most_in(times, 0.1)))
            finally:
                sink.close()
                for device in devices:
                    device.close()
    except Exception as error:
        failures.append(error)


def seen(devices, seconds):
    """When each connection was there, in s from now; infinite for who did not come."""
    begin, times, known = time.monotonic(), [], set()
    while len(times) < len(devices) and (now := time.monotonic() - begin) < seconds:
        new = connections(devices[0].pid, PORT) - known
        known |= new
        times += [now] * len(new)
        time.sleep(0.01)
    return times + [float("inf")] * (len(devices) - len(times))
