#!/usr/bin/env python3
"""Instructions of the device's core per frame, an older version beside a newer one, under callgrind.

    scripts/instructions.py [OLD [NEW]]        # revisions; 348661e and HEAD

Each version runs its own `core` bench with reads of 57 bytes, as an adapter delivers them at 115200 Bd. Only what runs inside
`Dtu::handle_input` counts (which is everything but the taking of outputs), so the bench's own timing does not; of two runs
of different length the difference counts, so setting up does not either. Needs valgrind, and a few minutes to build.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BENCHES = {
    "57 bytes to 1 link, TIME 0": "up_without_packing::1",
    "57 bytes to 1 link, TIME 50": "up_with_packing::1",
    "57 bytes from a link": "down",
}
SHORT, LONG = 200, 1200


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def build(root, revision, place):
    """The bench of a revision."""
    run("git", "worktree", "add", "--detach", "--force", place, revision, cwd=root)
    try:
        bench = place / "crates/dtu-proto/benches/core.rs"
        source, changed = re.subn(r"const READ: usize = \d+;", "const READ: usize = 57;", bench.read_text())
        if changed != 1:
            sys.exit(f"{revision}: the bench has no `const READ`")
        bench.write_text(source)
        target = root / "target/instructions"
        said = run("cargo", "bench", "-p", "dtu-proto", "--bench", "core", "--no-run", "--target-dir", target, cwd=place)
        binary = place.parent / f"core-{place.name}"
        binary.write_bytes((place / re.search(r"\((\S+/core-[0-9a-f]+)\)", said)[1]).read_bytes())
        binary.chmod(0o755)
        return binary
    finally:
        run("git", "worktree", "remove", "--force", place, cwd=root)


def collected(binary, bench, frames, out):
    said = run(
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--toggle-collect=*Dtu::handle_input*",
        binary, "--bench", bench, "--sample-count", "1", "--sample-size", str(frames),
    )
    count = int(re.search(r"Collected : (\d+)", said)[1])
    if count == 0:
        sys.exit(f"{binary}: nothing was counted, is handle_input inlined?")
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", nargs="?", default="348661e", help="revision to compare with (default: %(default)s)")
    parser.add_argument("new", nargs="?", default="HEAD", help="revision to measure (default: %(default)s)")
    arguments = parser.parse_args()
    old, new = arguments.old, arguments.new
    root = Path(run("git", "rev-parse", "--show-toplevel").strip())
    with tempfile.TemporaryDirectory() as work:
        work = Path(work)
        binaries = [build(root, old, work / "old"), build(root, new, work / "new")]
        print(f"| instructions | {old} | {new} | new/old |\n|---|---|---|---|")
        for name, bench in BENCHES.items():
            figures = [
                (collected(binary, bench, LONG, work / "out") - collected(binary, bench, SHORT, work / "out"))
                / (LONG - SHORT)
                for binary in binaries
            ]
            print(f"| {name} | {figures[0]:.0f} | {figures[1]:.0f} | {figures[1] / figures[0]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
