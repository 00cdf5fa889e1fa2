#!/usr/bin/env python3
"""Instructions of the device's core per frame, an older version beside a newer one, under callgrind.

    scripts/instructions.py [OLD [NEW]]        # revisions; 348661e and HEAD
    scripts/instructions.py --check            # HEAD beside scripts/instructions.json: fails where a count is 5 % higher
    scripts/instructions.py --bless            # writes that file anew, for a rise that is worth it or another compiler

Each version runs its own `core` bench with reads of 57 bytes, as an adapter delivers them at 115200 Bd. Only what runs inside
`Dtu::handle_input` counts (which is everything but the taking of outputs), so the bench's own timing does not; of two runs
of different length the difference counts, so setting up does not either. Needs valgrind, and a few minutes to build.
"""

import argparse
import json
import os
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
KEPT = Path(__file__).with_suffix(".json")
RISE = 1.05


# Else `handle_input` is inlined into the bench, and nothing can be counted.
NO_LTO = {"CARGO_PROFILE_BENCH_LTO": "off", "CARGO_PROFILE_RELEASE_LTO": "off"}


def run(*command, cwd=None, **environment):
    done = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True)
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
        said = run("cargo", "bench", "-p", "dtu-proto", "--bench", "core", "--no-run", "--target-dir", target, cwd=place, **NO_LTO)
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


def per_frame(binary, work):
    """Instructions of each of BENCHES."""
    return {
        name: (collected(binary, bench, LONG, work / "out") - collected(binary, bench, SHORT, work / "out")) / (LONG - SHORT)
        for name, bench in BENCHES.items()
    }


def compare(root, work, old, new):
    figures = [per_frame(build(root, revision, work / place), work) for revision, place in ((old, "old"), (new, "new"))]
    print(f"| instructions | {old} | {new} | new/old |\n|---|---|---|---|")
    for name in BENCHES:
        before, after = (of[name] for of in figures)
        print(f"| {name} | {before:.0f} | {after:.0f} | {after / before:.2f} |")


def check(root, work, bless):
    """Whether no count has risen. Another compiler makes other code: its counts are no news of ours."""
    compiler = run("rustc", "--version").strip()
    counts = {name: round(count) for name, count in per_frame(build(root, "HEAD", work / "new"), work).items()}
    if bless:
        KEPT.write_text(json.dumps({"rustc": compiler, "counts": counts}, indent=2) + "\n")
        return
    kept = json.loads(KEPT.read_text())
    if kept["rustc"] != compiler:
        print(f"NOT CHECKED: the counts are of {kept['rustc']}, this is {compiler}; scripts/instructions.py --bless renews them")
        return
    risen = 0
    for name, count in counts.items():
        before = kept["counts"][name]
        risen += count > before * RISE
        print(f"{name}: {count} instructions, {before} kept, {count / before:.2f}")
    if risen:
        sys.exit(f"{risen} of {len(counts)} cost over 5 % more than what {KEPT.name} keeps")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", nargs="?", default="348661e", help="revision to compare with (default: %(default)s)")
    parser.add_argument("new", nargs="?", default="HEAD", help="revision to measure (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="compare HEAD with the counts that are kept")
    parser.add_argument("--bless", action="store_true", help="keep the counts of HEAD")
    arguments = parser.parse_args()
    root = Path(run("git", "rev-parse", "--show-toplevel").strip())
    with tempfile.TemporaryDirectory() as work:
        if arguments.check or arguments.bless:
            check(root, Path(work), arguments.bless)
        else:
            compare(root, Path(work), arguments.old, arguments.new)


if __name__ == "__main__":
    main()
