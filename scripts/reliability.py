#!/usr/bin/env python3
"""Measures what docs/reliability.md promises on the real program: one binary, or an old and a new one side by side.

  scripts/reliability.py --new target/release/dtud
  scripts/reliability.py --old /tmp/dtud-before --new target/release/dtud --only holes
  scripts/reliability.py --new target/release/dtud --quick

Prints a Markdown table. Loads go to loopback and to network namespaces that the script makes (root, `ip` and `nft`;
without them the black holes are left out, and it says so). Everything is bounded and ends by itself: about ten minutes,
two with --quick.
"""

import argparse
import dataclasses
import pathlib
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from measure.cost import cost
from measure.flips import flips
from measure.herd import herd
from measure.holes import holes
from measure.outages import cuts, outages
from measure.slow import MIB, slow
from measure.table import Table


@dataclasses.dataclass(frozen=True)
class Plan:
    """How much to do. Times in s."""
    devices: int = 30
    up: int = 62
    outages: tuple = (1, 5, 30)
    # Period, length, number of cuts.
    cuts: tuple = (20, 1, 12)
    # Devices on each case of the black hole, and what lies between their starts.
    holes: int = 3
    stagger: float = 0.4
    before_hole: int = 25
    patience: int = 240
    frames: int = 200
    flips: int = 20
    bulk: int = 32 * MIB
    rate: int = 4 * MIB
    slow_rounds: int = 3
    starts: int = 15
    idle: int = 10


QUICK = Plan(devices=5, up=6, outages=(1, 2), cuts=(6, 1, 4), holes=1, stagger=0.1, before_hole=3, patience=25, flips=4,
             bulk=8 * MIB, slow_rounds=1, starts=3, idle=3)

# Those that need the processor go one after the other and first; those that wait go at the same time.
TOGETHER = {"outages": outages, "cuts": cuts, "herd": herd, "holes": holes}
ALONE = {"flips": flips, "slow": slow, "cost": cost}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--old", type=pathlib.Path, help="a dtud to compare with")
    parser.add_argument("--new", type=pathlib.Path, help="a dtud")
    parser.add_argument("--only", choices=[*TOGETHER, *ALONE], action="append", help="may be given many times")
    parser.add_argument("--quick", action="store_true", help="a smoke run: small figures that prove little")
    options = parser.parse_args()
    programs = {name: path.resolve() for name, path in (("old", options.old), ("new", options.new)) if path}
    if not programs:
        parser.error("give --new, --old or both")
    for path in programs.values():
        if not path.is_file():
            parser.error(f"{path} is no program")
    with tempfile.TemporaryDirectory(prefix="dtud-measure-") as folder:
        # Side by side on the disk too: how a file came into the page cache is seen in its pages of memory.
        return measure({name: shutil.copy(path, f"{folder}/{name}") for name, path in programs.items()}, options)


def measure(programs, options):
    # As Ctrl-C: what was started is ended.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tables, failed = {name: Table(programs) for name in (*TOGETHER, *ALONE)}, []
    plan = QUICK if options.quick else Plan()
    chosen = lambda parts: {name: part for name, part in parts.items() if not options.only or name in options.only}
    try:
        for name, part in chosen(ALONE).items():
            attempt(name, part, programs, tables[name], plan, failed)
        threads = [threading.Thread(target=attempt, args=(name, part, programs, tables[name], plan, failed))
                   for name, part in chosen(TOGETHER).items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        whole = Table(programs)
        for table in tables.values():
            whole.join(table)
        print(whole)
    return 1 if failed else 0


def attempt(name, part, programs, table, plan, failed):
    """One part that cannot be measured does not cost the others."""
    begin = time.monotonic()
    try:
        part(programs, table, plan)
        print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    except Exception as error:  # said aloud, and in the exit status
        failed.append(name)
        print(f"{name} could NOT be measured: {error!r}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
