"""Memory, wake-ups and the way to the ready line."""

import pathlib
import re
import time

from .device import Device, tcp_link
from .servers import Collector
from .table import spread


def cost(programs, table, plan):
    starts = {program: [] for program in programs}
    for _ in range(plan.starts):
        for program, binary in programs.items():
            with Device(binary) as device:
                # Memory of what the start left.
                time.sleep(0.3)
                starts[program].append((device.ready_after * 1e3, memory(device.pid, "VmRSS"), memory(device.pid, "RssAnon")))
    for program in programs:
        ready, resident, own = zip(*starts[program])
        table.put(f"start to the ready line, ms, {plan.starts} starts", program, spread(ready))
        table.put("RSS after the start, KiB", program, spread(resident, 0))
        table.put("of it not of files (RssAnon), KiB", program, spread(own, 0))
    for program, binary in programs.items():
        with Collector() as server, Device(binary, [tcp_link(1, server.port)]) as device:
            line = device.line()
            line.send(b"one frame, so that everything has run once\n")
            # The acknowledgement was looked for, and what the start left is done.
            time.sleep(3)
            before = used(device.pid)
            time.sleep(plan.idle)
            wake_ups, cpu = (after - earlier for after, earlier in zip(used(device.pid), before))
            table.put(f"idle with a link up for {plan.idle} s: wake-ups", program, str(wake_ups))
            table.put(f"idle with a link up for {plan.idle} s: CPU, us", program, f"{cpu / 1e3:.0f}")
            table.put("RSS with a link up, KiB", program, str(memory(device.pid, "VmRSS")))
            line.close()


def used(pid):
    """Voluntary context switches and nanoseconds on a CPU, all threads."""
    switches = nanoseconds = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        switches += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text(), re.M)[1])
        nanoseconds += int((task / "schedstat").read_text().split()[0])
    return switches, nanoseconds


def memory(pid, kind):
    """KiB."""
    return int(re.search(rf"^{kind}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1])
