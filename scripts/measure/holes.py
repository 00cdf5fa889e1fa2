"""Seconds until a device notices that its peer is gone without a word."""

import sys
import threading
import time

from .device import Device, tcp_link, wait_for
from .netns import SERVER_SIDE, Sink, Wire, connections, inside, missing
from .table import spread

HEARTBEAT = 'CIPPACK=0,"6865617274",0'
HEAT = "CIPCFG=1,10,0,100,10,1800"
EXPECT = "[link.expect]\nheartbeat = { reply_hex = '4f4b', within = 2, misses = 2 }\n"

# name, AT commands, settings, a frame a second
CASES = (
    ("factory, idle", (), "", False),
    ("factory, a frame a second", (), "", True),
    ("HEAT=10, idle", (HEAT, HEARTBEAT), "", False),
    ("HEAT=10, a frame a second", (HEAT, HEARTBEAT), "", True),
)
HUNG = ("HEAT=10, expected reply (2 s, twice), a frame a second", (HEAT, HEARTBEAT), EXPECT, True)
HOLE_PORTS, OTHER_PORTS = range(20000, 25000), range(25000, 30000)


class Trial:
    """One device on its case."""

    def __init__(self, program, binary, case, port, wire):
        self.program, (self.case, at, settings, self.talks), self.port = program, case, port
        self.device = Device(binary, [*at, tcp_link(1, port, SERVER_SIDE)], settings, inside=inside(wire.device))
        self.line = self.device.line()
        self.first = self.noticed = None

    def close(self):
        self.line.close()
        self.device.close()

    def is_up(self):
        """Whether its first connection is still there; a new one is none."""
        now = connections(self.device.pid, self.port)
        self.first = self.first or now
        return bool(now) and now == self.first


class Talk:
    """Writes a frame a second to each line."""

    def __init__(self, lines):
        self.lines, self.over = lines, threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        while not self.over.wait(1):
            for line in self.lines:
                line.send(b"a frame of the equipment\n")

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def holes(programs, table, plan):
    if reason := missing():
        print(f"black holes are NOT measured: {reason}", file=sys.stderr)
        return
    cut, hung = [], []
    with Wire() as wire:
        hole_ports, other_ports = iter(HOLE_PORTS), iter(OTHER_PORTS)
        wanted = [(case, program) for _ in range(plan.holes) for case in (*CASES, HUNG) for program in programs]
        numbered = [(next(other_ports if case is HUNG else hole_ports), case, program) for case, program in wanted]
        sink = Sink(wire.server, [port for port, _, _ in numbered])
        try:
            for port, case, program in numbered:
                trial = Trial(program, programs[program], case, port, wire)
                (hung if case is HUNG else cut).append(trial)
                # Heartbeats of one case fall into different moments.
                time.sleep(plan.stagger)
            watch(cut, hung, wire, plan)
        finally:
            for trial in cut + hung:
                trial.close()
            sink.close()
    for what, trials in (("a black hole noticed", cut), ("a hung server noticed", hung)):
        for case, program in dict.fromkeys((trial.case, trial.program) for trial in trials):
            times = [trial.noticed for trial in trials if (trial.case, trial.program) == (case, program)]
            never = f"; not within {plan.patience} s: {times.count(None)} of {len(times)}" if None in times else ""
            seen = spread([time for time in times if time is not None])
            table.put(f"{what}: {case}, s", program, seen + never)


def watch(cut, hung, wire, plan):
    everyone = cut + hung
    wait_for("connection of each device", lambda: all(trial.is_up() for trial in everyone), 30)
    with Talk([trial.line for trial in everyone if trial.talks]):
        begin = {id(trial): time.monotonic() for trial in hung}
        time.sleep(plan.before_hole)
        for trial in cut:
            # The worst moment: everything was alive a second ago.
            if trial.case == "factory, idle":
                trial.line.send(b"the last frame before the silence\n")
        time.sleep(1)
        wire.cut(HOLE_PORTS)
        begin |= {id(trial): time.monotonic() for trial in cut}
        deadline = time.monotonic() + plan.patience
        while time.monotonic() < deadline and (waiting := [trial for trial in everyone if trial.noticed is None]):
            for trial in waiting:
                if not trial.is_up():
                    trial.noticed = time.monotonic() - begin[id(trial)]
            time.sleep(0.25)
