#!/usr/bin/env python3
"""Breaks the device core, the dialogue with the modem and the hub of the cloud on purpose, one line at a time, and looks whether world or scripts notice.

    scripts/mutants.py [--seeds 1..120] [--only TEXT] [--list | --diff | --check]

Each mutation is applied in a scratch copy (target/mutants), built there and run over some seeds. The list of them is
scripts/mutation/listed.py; their places are the marks in the code, `// mutant: NAME` (scripts/mutation/marks.py). A mark
without a mutation, a mutation without a mark or one that its place does not fit is an error. Exit 0: all were caught.
"""

import argparse
import contextlib
import difflib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True
from mutation.listed import MUTATIONS
from mutation.marks import LIKE_A_MARK, MARK, DoesNotApply, Edit

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / "target" / "mutants"

# Timed scripts that guard what no world reaches: of which crate, and which of its modules (none: all tests).
SCRIPTS = {
    "delivery": ("dtu-proto", "delivery::"),
    "failover": ("dtu-proto", "transparent::backup::"),
    "serial_command": ("dtu-proto", "serial_command::"),
    "answers": ("dtu-proto", "httpd::"),
    "sms_join": ("sms-codec", "join::"),
    "texts": ("dtu-proto", "messages::"),
    "urcs": ("dtu-proto", "urcs::"),
    "rests": ("dtu-proto", "rests::"),
    "modem": ("modem-proto", ""),
    "hub": ("dtu-hub", "::"),
}
# In which mode all worlds are (9: they go from mode to mode); those of the other rules are transparent or SMS.
MODES = {"requests": "3", "packets": "1", "dialogue": "2", "switches": "9"}
# Rules whose worlds must be more: what they watch is rare.
SEEDS = {"liveness": "1..400"}
# Seconds; the worlds of an unbroken core take a twentieth of it.
HANGS_AFTER = 90


class Mutant(NamedTuple):
    rule: str
    mark: str
    title: str
    edit: Edit

    def __str__(self):
        return f"{self.rule}: {self.title} ({self.mark})"


MUTANTS = [Mutant(rule, *mutation) for rule, mutations in MUTATIONS.items() for mutation in mutations]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", default="1..120", help="seeds of each run (1..120)")
    arguments.add_argument("--only", default="", help="only mutations that have this text in rule, title or mark")
    instead = arguments.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="see that marks and mutations fit each other, and run none")
    instead.add_argument("--diff", action="store_true", help="show what each does to the code, and run none")
    instead.add_argument("--check", action="store_true", help="see that each compiles, and run none")
    options = arguments.parse_args()
    marked, faults = find_marks()
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 2
    chosen = [mutant for mutant in MUTANTS if options.only in str(mutant)]
    if options.list:
        print(f"{len(chosen)} mutations apply, at {len({mutant.mark for mutant in chosen})} marks")
        return 0
    if options.diff:
        for mutant in chosen:
            show(mutant, marked[mutant.mark])
        return 0
    copy_sources()
    if options.check:
        return 1 if [mutant for mutant in chosen if not compiles(mutant, marked[mutant.mark])] else 0
    rules = {mutant.rule for mutant in chosen}
    worlds = not rules or rules - SCRIPTS.keys()
    if worlds and not run(options.seeds)[0] or not all(run_scripts(*SCRIPTS[rule])[0] for rule in rules & SCRIPTS.keys()):
        print("worlds or scripts do not hold without any mutation", file=sys.stderr)
        return 2
    survived = [mutant for mutant in chosen if not try_mutant(mutant, marked[mutant.mark], options.seeds)]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} caught")
    return 1 if survived else 0


def find_marks():
    """The file of each mark, from the root; and what is wrong with marks and mutations."""
    marked, faults = {}, []
    for path in sorted((ROOT / "crates").glob("*/src/**/*.rs")):
        code, file = path.read_text(), path.relative_to(ROOT)
        names = MARK.findall(code)
        faults += [f"{file}: mark `{name}` stands in {marked[name]}, too" for name in names if name in marked]
        faults += [f"{file}: mark `{name}` stands here twice" for name in sorted(set(names)) if names.count(name) > 1]
        faults += [f"{file}: not `// mutant: NAME` on a line of its own: {line.strip()}"
                   for line in LIKE_A_MARK.findall(code) if not MARK.fullmatch(line + "\n")]
        marked.update(dict.fromkeys(names, file))
    wanted = {mutant.mark for mutant in MUTANTS}
    faults += [f"{file}: no mutation is listed for mark `{name}`" for name, file in marked.items() if name not in wanted]
    for mutant in MUTANTS:
        try:
            if mutant.mark in marked:
                mutant.edit.of((ROOT / marked[mutant.mark]).read_text(), mutant.mark)
            else:
                faults.append(f"no mark in the code: {mutant}")
        except DoesNotApply as why:
            faults.append(f"{marked[mutant.mark]}: does not apply: {mutant}: {why}")
    return marked, faults


def show(mutant, file):
    code = (ROOT / file).read_text()
    print(f"# {mutant}")
    lines = [text.splitlines(keepends=True) for text in (code, mutant.edit.of(code, mutant.mark))]
    sys.stdout.writelines(difflib.unified_diff(*lines, str(file), str(file)))


def copy_sources():
    shutil.rmtree(SCRATCH / "crates", ignore_errors=True)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    for name in ["Cargo.toml", "Cargo.lock", "clippy.toml"]:
        shutil.copy2(ROOT / name, SCRATCH / name)
    # Pages that tests compare.
    shutil.copytree(ROOT / "docs", SCRATCH / "docs", dirs_exist_ok=True)
    for crate in (ROOT / "crates").iterdir():
        shutil.copytree(crate, SCRATCH / "crates" / crate.name, copy_function=shutil.copy)  # new times: cargo must rebuild


@contextlib.contextmanager
def applied(mutant, file):
    """In the scratch copy, for a while."""
    path = SCRATCH / file
    original = path.read_text()
    path.write_text(mutant.edit.of(original, mutant.mark))
    try:
        yield
    finally:
        path.write_text(original)


def compiles(mutant, file):
    check = ["cargo", "check", "--quiet", "--offline", "-p", file.parts[1]]
    environment = dict(os.environ, CARGO_TARGET_DIR=str(SCRATCH / "target"))
    with applied(mutant, file):
        done = subprocess.run(check, cwd=SCRATCH, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"does not compile: {mutant}\n{done.stderr[-3000:]}", flush=True)
    return done.returncode == 0


def try_mutant(mutant, file, seeds):
    rule = mutant.rule
    with applied(mutant, file):
        held, seen = run_scripts(*SCRIPTS[rule]) if rule in SCRIPTS else run(SEEDS.get(rule, seeds), MODES.get(rule, "0"), herd=rule == "herd")
    print(f"{'survived' if held else 'caught'}: {mutant}{'' if held else ' -> ' + seen}", flush=True)
    return not held


def run_scripts(crate, module):
    """Whether the timed scripts of that module hold, for rules that worlds reach seldom or never; and which broke first."""
    which = ["--test", "it", module] if module else ["--lib", "--test", "it"]
    tests = ["cargo", "test", "--quiet", "--offline", "--no-fail-fast", "-p", crate, *which]
    environment = dict(os.environ, CARGO_TARGET_DIR=str(SCRATCH / "target"))
    done = subprocess.run(tests, cwd=SCRATCH, env=environment, capture_output=True, text=True)
    broken = re.findall(r"thread '([\w:]+)'.* panicked", done.stdout + done.stderr)
    if done.returncode != 0 and not broken:
        sys.exit("a mutation does not compile:\n" + done.stderr[-3000:])
    return done.returncode == 0, f"{len(broken)} scripts, {broken[0]}" if broken else ""


def run(seeds, mode=None, herd=True):
    """Whether all worlds (and the herd) hold, and which rule was broken first."""
    forced = ["--mode", mode] if mode else []
    environment = dict(
        os.environ,
        CARGO_TARGET_DIR=str(SCRATCH / "target"),
        CARGO_PROFILE_RELEASE_LTO="off",
        CARGO_PROFILE_RELEASE_OPT_LEVEL="1",
        CARGO_PROFILE_RELEASE_CODEGEN_UNITS="64",
        # Each mutation changes one line.
        CARGO_INCREMENTAL="1",
    )
    build = ["cargo", "build", "--quiet", "--offline", "--release", "-p", "dtu-sim"]
    done = subprocess.run(build, cwd=SCRATCH, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("a mutation does not compile:\n" + done.stderr[-3000:])
    program = SCRATCH / "target" / "release" / "dtu-sim"
    for arguments in ([["herd"]] if herd else []) + [["world", "--seeds", seeds, *forced]]:
        try:
            done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=HANGS_AFTER)
        except subprocess.TimeoutExpired:
            return False, "it hangs"
        if done.returncode != 0:
            lines = (done.stderr + done.stdout).strip().splitlines()
            named = [line for line in lines if re.match(r"seed \d+ at |herd: ", line)]
            return False, (named or lines or ["?"])[-1][:150]
    return True, ""


if __name__ == "__main__":
    sys.exit(main())
