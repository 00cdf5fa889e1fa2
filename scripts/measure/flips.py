"""Frames lost when one bit of a frame file changes: full of frames, kill -9, the bit, started again."""

import pathlib
import random
import re
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from .device import Device, free_port, tcp_link, wait_for
from .servers import Collector
from .table import spread

LENGTH = 40
# LEN cuts: so the number of frames does not hang on when the device wakes.
SETTINGS = '[packing]\nlength_enabled = true\n[link]\nspool = "disk"\n'
PACKING = f"CIPCFG=1,0,0,60000,{LENGTH},0"


def frame(number):
    return f"frame {number:06d} ".ljust(LENGTH - 1, "~").encode() + b"\n"


def flips(programs, table, plan):
    for program, binary in programs.items():
        with tempfile.TemporaryDirectory(prefix="dtud-measure-") as kept:
            kept = pathlib.Path(kept) / "state"
            fill(binary, plan.frames, kept)
            with ThreadPoolExecutor(4) as pool:
                results = list(pool.map(lambda seed: flip(binary, kept, plan.frames, seed), range(plan.flips)))
        lost, dropped, order = zip(*results)
        table.put(f"frames lost of {plan.frames} by one flipped bit, {plan.flips} places", program, spread(lost, 0))
        table.put("the same: dropped_frames of AT+CISTAT", program, spread(dropped, 0))
        table.put("the same: runs in which a frame came out of order or twice", program, str(sum(order)))


def fill(binary, count, kept):
    """A state folder as kill -9 leaves it, with `count` frames for a server that is not there."""
    with Device(binary, [PACKING, tcp_link(1, free_port())], SETTINGS) as device:
        line = device.line()
        line.send(b"".join(map(frame, range(count))))
        wait_for("every frame in a file", lambda: spooled(device.state) >= count * LENGTH)
        # What is written beside the main loop too.
        time.sleep(1.5)
        line.close()
        device.kill()
        # The socket of `dtud status` is no file to copy.
        shutil.copytree(device.state, kept, ignore=shutil.ignore_patterns("status"))


def segments(state):
    return sorted(path for path in (state / "spool").rglob("*") if path.is_file() and path.suffix == ".frames")


def spooled(state):
    return sum(path.stat().st_size for path in segments(state))


def flip(binary, kept, count, seed):
    """Frames that did not come; frames that the device calls dropped; whether some came twice or out of order."""
    with tempfile.TemporaryDirectory(prefix="dtud-measure-") as folder:
        state = pathlib.Path(folder) / "state"
        shutil.copytree(kept, state)
        choice = random.Random(seed)
        path = choice.choice(segments(state))
        content = bytearray(path.read_bytes())
        content[choice.randrange(len(content))] ^= 1 << choice.randrange(8)
        path.write_bytes(content)
        with Collector() as server, Device(binary, [PACKING, tcp_link(1, server.port)], SETTINGS, state) as device:
            server.await_silence(2)
            numbers = [int(number) for number in re.findall(rb"frame (\d{6}) ~*\n", server.content())]
            dropped = device.statistics()["dropped_frames"]
    return count - len(set(numbers)), dropped, numbers != sorted(set(numbers))
