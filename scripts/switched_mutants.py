#!/usr/bin/env python3
"""Runs the mutants that cargo-mutants lists, all compiled into one copy of a crate, each behind a switch.

    scripts/switched_mutants.py PACKAGE [--files REGEX] [--jobs N] [--minutes M] [--seed S] [--again FILE] [--build-only]
        [--report]

cargo-mutants builds once a mutant. This builds once: the body of every function becomes a `match`, one arm a mutant
with the whole mutated body, the last arm as it is; the environment says which arm holds. So an arm is the very text
that cargo-mutants would compile. What rustc refuses is left out and counted: a mutant's own body as "unviable", a
function that cannot be a `match` (its type is an `impl Trait`, say) or a mutant outside of functions as "no switch".

Each test first runs alone and writes down which functions it enters. Then for each mutant the tests run that enter its
function, those that have caught a neighbour first, then the quick ones, until one fails. Going round for ever, or
growing over 2 GB, is a failure too; what took too long gets much more time once, for the machine may be busy. A test that fails without a mutant (it reads the sources, say) does not take part.

Verdicts are kept in target/switched/PACKAGE/verdicts.json by name; a later run with the same sources goes on from
there, in random order (--seed). --report only prints what is known. --again judges only the mutants that a file names,
one a line, with the tests that there are now, and leaves the verdicts as they are: for tests against survivors.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
MEMORY = 2 << 30
MARK = " /* ~ changed by cargo-mutants ~ */"

# What each crate gets. A `const fn` may ask too: while a constant is computed no mutant is on.
SWITCH = """
pub(crate) const fn switched(function: u32) -> u32 {
    const fn none(_: u32) -> u32 { 0 }
    core::intrinsics::const_eval_select((function,), none, switched_now)
}
fn switched_now(function: u32) -> u32 {
    use std::io::Write as _;
    static ON: std::sync::OnceLock<(u32, Option<std::string::String>)> = std::sync::OnceLock::new();
    static SEEN: [core::sync::atomic::AtomicBool; FUNCTIONS] =
        [const { core::sync::atomic::AtomicBool::new(false) }; FUNCTIONS];
    let (on, hits) = ON.get_or_init(|| {
        let number = std::env::var("SWITCHED_MUTANT").ok().and_then(|n| n.parse().ok());
        (number.unwrap_or(0), std::env::var("SWITCHED_HITS").ok())
    });
    if let Some(hits) = hits {
        if !SEEN[function as usize].swap(true, core::sync::atomic::Ordering::Relaxed) {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(hits);
            let _ = file.unwrap().write_all(std::format!("{function}\\n").as_bytes());
        }
    }
    *on
}
"""


class Mutant(NamedTuple):
    number: int
    name: str
    file: str
    start: int
    end: int
    text: str
    function: tuple | None


class Test(NamedTuple):
    binary: str
    name: str


def offsets(text: str):
    """Lines and columns (of characters, from 1) to places in the text."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return lambda at: starts[at["line"] - 1] + at["column"] - 1


def listed(package: str, root: Path) -> list[Mutant]:
    command = ["cargo", "mutants", "--list", "--json", "--package", package]
    out = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    places, mutants = {}, []
    for number, entry in enumerate(json.loads(out), 1):
        file = entry["file"]
        if file not in places:
            places[file] = offsets((root / file).read_text())
        place, function = places[file], entry["function"]
        span = function and (place(function["span"]["start"]), place(function["span"]["end"]))
        start, end = place(entry["span"]["start"]), place(entry["span"]["end"])
        text = entry["replacement"] + MARK
        mutants.append(Mutant(number, entry["name"], file, start, end, text, span))
    return mutants


def body_of(text: str, start: int, end: int) -> int:
    """Where the body's brace of a function opens: the first one outside of parentheses."""
    depth = 0
    for at in range(start, end):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(text[at], 0)
        if text[at] == "{" and depth == 0:
            return at
    raise ValueError(f"no body in {text[start:end]!r}")


class Tree:
    """The copy of the sources, and which mutants are still in it."""

    def __init__(self, package: str, where: Path, files: str, names: set[str]):
        self.package, self.where, self.tree = package, where, where / "tree"
        self.tree.mkdir(parents=True, exist_ok=True)
        tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
        for name in filter(None, tracked.split("\0")):
            target, old = self.tree / name, ROOT / name
            if old.is_file() and not (target.is_file() and target.read_bytes() == old.read_bytes()):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(old, target)
        self.mutants = [mutant for mutant in listed(package, self.tree) if re.search(files, mutant.file)]
        if names:
            self.mutants = [mutant for mutant in self.mutants if mutant.name in names]
            for name in sorted(names - {mutant.name for mutant in self.mutants}):
                say(f"not listed: {name}")
        self.texts = {m.file: (self.tree / m.file).read_text() for m in self.mutants}
        self.dropped = {m.number: "no switch" for m in self.mutants if m.function is None}
        # Of a function in a function the outer one gets the switch.
        self.functions, self.of = [], {}
        for file in self.texts:
            spans = sorted({m.function for m in self.mutants if m.file == file and m.function})
            tops = [s for s in spans if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]
            for top in tops:
                self.of |= {
                    m.number: len(self.functions)
                    for m in self.mutants
                    if m.file == file and m.function and top[0] <= m.function[0] and m.function[1] <= top[1]
                }
                self.functions.append((file, *top))
        digest = hashlib.sha256()
        for name in sorted(filter(None, tracked.split("\0"))):
            if name.endswith((".rs", "Cargo.toml", "Cargo.lock")) and (ROOT / name).is_file():
                digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
        self.digest = digest.hexdigest()

    def write(self):
        """Writes the sources with all mutants that are left; `self.arms` says whose lines are whose."""
        self.arms = collections.defaultdict(list)
        inside = collections.defaultdict(list)
        for mutant in self.mutants:
            if mutant.number not in self.dropped:
                inside[self.of[mutant.number]].append(mutant)
        for file, text in self.texts.items():
            out, done, line = [], 0, 1

            def put(piece):
                nonlocal line
                out.append(piece)
                line += piece.count("\n")

            for index, (of, start, end) in enumerate(self.functions):
                if of != file or not inside[index]:
                    continue
                opens = body_of(text, start, end)
                put(text[done : opens + 1])
                first = line
                put(f" match crate::switched({index}) {{\n")
                for m in inside[index]:
                    begins = line
                    put(f"{m.number} => {{ {text[opens + 1 : m.start]}{m.text}{text[m.end : end - 1]}\n}}\n")
                    self.arms[file].append((begins, line - 1, m.number, index))
                put("_ => {")
                put(text[opens + 1 : end - 1])
                put("\n} } ")
                self.arms[file].append((first, line, None, index))
                done = end - 1
            put(text[done:])
            (self.tree / file).write_text("".join(out))
        library = self.library()
        text = self.texts.get(library) and (self.tree / library).read_text() or (ROOT / library).read_text()
        text = re.sub(r"#!\[no_std\]\n|#!\[forbid\(unsafe_code\)\]\n|#\[cfg\(test\)\]\n(?=extern crate std)", "", text)
        inner = re.search(r"(?m)^(?!//!|#!|\s*$)", text).start()
        std = "" if "extern crate std;" in text else "#[allow(unused_extern_crates)] extern crate std;\n"
        gates = "#![feature(core_intrinsics, const_eval_select)]\n"
        switch = SWITCH.replace("FUNCTIONS", str(len(self.functions)))
        (self.tree / library).write_text(text[:inner] + gates + std + text[inner:] + switch)

    def library(self) -> str:
        return f"crates/{self.package}/src/lib.rs"

    def cargo(self, *words: str, slot: list[str]):
        profile = {"CARGO_PROFILE_TEST_DEBUG": "0", "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_INCREMENTAL": "0"}
        # For a short build.
        profile |= {"CARGO_PROFILE_TEST_OPT_LEVEL": "0"}
        # For the intrinsic.
        more = {"RUSTC_BOOTSTRAP": "1", "RUSTFLAGS": "--cap-lints allow"}
        command = [*slot, "cargo", *words, "-p", self.package, "--message-format=json"]
        env = os.environ | profile | more | {"CARGO_TARGET_DIR": str(self.where / "build")}
        done = subprocess.run(command, cwd=self.tree, env=env, capture_output=True, text=True)
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return done, messages

    def settle(self, slot: list[str], keep):
        """Leaves out what does not compile. rustc names errors in phases, so it takes some rounds; first the library
        alone, which is quick."""
        targets = ["--lib"]
        for round_ in range(1, 40):
            self.write()
            done, messages = self.cargo("check", *targets, slot=slot)
            if done.returncode == 0:
                if "--tests" in targets:
                    return
                targets.append("--tests")
                continue
            before, strange = len(self.dropped), []
            for message in messages:
                error = message.get("message", {})
                if message["reason"] == "compiler-message" and error["level"] == "error":
                    if not self.drop(error):
                        strange.append(error["rendered"])
            say(f"round {round_}: {len(self.dropped)} of {len(self.mutants)} left out")
            keep()
            if len(self.dropped) == before:
                sys.exit("the copy does not compile:\n" + "\n".join(strange[:5]) + done.stderr[-2000:])
        sys.exit("too many rounds")

    def drop(self, error: dict) -> bool:
        """Finds the arm that an error speaks of; an error outside of the arms costs the function its switch."""
        spans = sorted(error["spans"], key=lambda span: not span["is_primary"])
        spans += [span for child in error["children"] for span in child["spans"]]
        found = []
        for span in spans:
            line = span["line_start"]
            for begins, ends, number, function in self.arms.get(span["file_name"], []):
                if begins <= line <= ends:
                    found.append((number, function))
                    break
        for number, _ in found:
            if number is not None:
                self.dropped.setdefault(number, "unviable")
                return True
        for _, function in found:
            for number, of in self.of.items():
                if of == function:
                    self.dropped.setdefault(number, "no switch")
        return bool(found)

    def build(self, slot: list[str]) -> list[str]:
        done, messages = self.cargo("test", "--no-run", "--lib", "--tests", slot=slot)
        if done.returncode:
            sys.exit(done.stderr[-4000:])
        return [m["executable"] for m in messages if m["reason"] == "compiler-artifact" and m.get("executable")]


def run(tree: Tree, binary: str, names: list[str], limit: float, **env: str) -> bool | None:
    """Whether these tests pass; `None`: they take too long."""
    command = [binary, "--exact", "--test-threads=1", "-q", "-Zunstable-options", "--fail-fast", *names]
    fixed = {"RUSTC_BOOTSTRAP": "1", "RUST_BACKTRACE": "0", "PROPTEST_MAX_SHRINK_ITERS": "0", "INSTA_UPDATE": "no"}
    try:
        done = subprocess.run(
            command,
            cwd=tree.tree / "crates" / tree.package,
            env=os.environ | fixed | env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=limit,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        )
    except subprocess.TimeoutExpired:
        return None
    return done.returncode == 0


def reach(tree: Tree, binaries: list[str], jobs: int) -> tuple[dict, dict]:
    """How long each test takes, and which tests enter each function."""
    tests = []
    for binary in binaries:
        out = subprocess.check_output([binary, "--list", "--format", "terse"], text=True)
        tests += [Test(binary, line.removesuffix(": test")) for line in out.splitlines() if line.endswith(": test")]
    took, enters = {}, collections.defaultdict(list)

    def measure(test):
        hits = tree.where / f"hits.{threading.get_ident()}"
        hits.unlink(missing_ok=True)
        started = time.monotonic()
        passed = run(tree, test.binary, [test.name], 300, SWITCHED_HITS=str(hits))
        seconds = time.monotonic() - started
        entered = set(map(int, hits.read_text().split())) if hits.exists() else set()
        hits.unlink(missing_ok=True)
        return test, passed, seconds, entered

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for test, passed, seconds, entered in pool.map(measure, tests):
            if not passed:
                say(f"fails without a mutant, left out: {test.name}")
                continue
            took[test] = seconds
            for function in entered:
                enters[function].append(test)
    return took, enters


def chunks(tests: list[Test], took: dict):
    """Some tests a process: few at first, more later, all of one binary."""
    size, waiting = 4, list(tests)
    while waiting:
        binary = waiting[0].binary
        chunk = [test for test in waiting[: 4 * size] if test.binary == binary][:size]
        yield chunk
        taken = set(chunk)
        waiting = [test for test in waiting if test not in taken]
        size = min(size * 3, 120)


def judge(tree: Tree, mutant: Mutant, took: dict, enters: dict, kills: dict) -> tuple[str, str]:
    function = tree.of[mutant.number]
    near, file = kills[function], kills[mutant.file]
    tests = sorted(enters[function], key=lambda t: (-near[t], -min(file[t], 1), took[t]))
    for chunk in chunks(tests, took):
        limit = 3 + 8 * sum(took[test] for test in chunk)
        work = tree, chunk[0].binary, [t.name for t in chunk]
        passed = run(*work, limit, SWITCHED_MUTANT=str(mutant.number))
        if passed is None:
            passed = run(*work, 8 * limit, SWITCHED_MUTANT=str(mutant.number))
        if not passed:
            for test in chunk if len(chunk) <= 4 else ():
                near[test] += 1
                file[test] += 1
            by = chunk[0].name if len(chunk) == 1 else f"{chunk[0].name} and {len(chunk) - 1} more"
            return "caught", by if passed is False else f"{by}, out of time"
    return ("survived" if tests else "not reached"), f"{len(tests)} tests"


def say(text: str):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def report(verdicts: dict):
    count = collections.Counter(verdict for verdict, _ in verdicts.values())
    measured = count["caught"] + count["survived"] + count["not reached"]
    for name, (verdict, why) in sorted(verdicts.items()):
        if verdict in ("survived", "not reached"):
            print(f"{verdict}: {name} ({why})")
    print(dict(count), f"{100 * count['caught'] / max(measured, 1):.1f} % caught of {measured} measured")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package")
    parser.add_argument("--files", default="", help="only mutants of files whose path fits this")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1e9, help="how long the mutants may run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slot", default="", help="a command to put before cargo")
    parser.add_argument("--again", type=Path, help="a file of names: only these mutants, and no verdict is kept")
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    where = ROOT / "target" / "switched" / options.package
    kept = where / "verdicts.json"
    if options.report:
        return report(json.loads(kept.read_text())["verdicts"])
    slot = options.slot.split()
    names = set(options.again.read_text().splitlines()) - {""} if options.again else set()
    tree = Tree(options.package, where, options.files, names)
    say(f"{len(tree.mutants)} mutants in {len(tree.functions)} functions")
    old = json.loads(kept.read_text()) if kept.exists() and not names else {}
    verdicts = old.get("verdicts", {}) if old.get("digest") == tree.digest else {}
    # What does not compile is known from the last time.
    for mutant in tree.mutants:
        if verdicts.get(mutant.name, ("", ""))[1] == "compiler":
            tree.dropped[mutant.number] = verdicts[mutant.name][0]

    def keep():
        left_out = (m for m in tree.mutants if m.number in tree.dropped)
        verdicts.update({m.name: (tree.dropped[m.number], "compiler") for m in left_out})
        if not names:
            kept.write_text(json.dumps({"digest": tree.digest, "verdicts": verdicts}, indent=1))

    tree.settle(slot, keep)
    binaries = tree.build(slot)
    keep()
    say(f"built; {len(tree.dropped)} left out")
    if options.build_only:
        return
    took, enters = reach(tree, binaries, options.jobs)
    say(f"{len(took)} tests take {sum(took.values()):.1f} s")
    todo = [m for m in tree.mutants if m.name not in verdicts]
    random.Random(options.seed).shuffle(todo)
    kills = collections.defaultdict(collections.Counter)
    end = time.monotonic() + 60 * options.minutes

    def one(mutant):
        if time.monotonic() < end:
            return mutant, judge(tree, mutant, took, enters, kills)
        return mutant, None

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for index, (mutant, verdict) in enumerate(pool.map(one, todo), 1):
            if verdict:
                verdicts[mutant.name] = verdict
                if verdict[0] != "caught":
                    say(f"{verdict[0]}: {mutant.name}")
                if index % 50 == 0:
                    say(f"{index} of {len(todo)}")
                    keep()
    keep()
    report(verdicts)


if __name__ == "__main__":
    main()
