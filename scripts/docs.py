#!/usr/bin/env python3
"""Checks what the pages say of the tree: each decision, test, path and link that is named exists.

    scripts/docs.py

- A comment that says "decisions 16.10" names a heading of docs/decisions.md.
- Each decision names code and a test (or a rule of the world); each promise of docs/reliability.md names a test.
- Test names and paths in backquotes exist. A `*` stands for any end.
- Functions that ARCHITECTURE.md names exist.
- Links between pages lead to a page, and to a heading of it.
"""

import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DECISIONS = ROOT / "docs" / "decisions.md"
# Pages whose names of tests and paths are checked.
NAMING = ["ARCHITECTURE.md", "CONTRIBUTING.md"] + [
    f"docs/{page}.md" for page in ("decisions", "manual-map", "reliability", "world", "log", "modems", "sms")
]
# Where a path of a page may begin, the nearest first.
BASES = ["", "crates", "crates/dtu-proto/src", "crates/dtu-proto", "crates/*/src", "crates/*", "scripts", "crates/dtu-sim/src/world"]
NUMBER = r"\d+(?:\.\d+)?"
CITED = re.compile(rf"\b[Dd]ecisions(?:\.md)?,? ({NUMBER}(?:(?:, and|,| and| to) {NUMBER})*)")
TEST = re.compile(r"#\[(?:tokio::)?test\b[^\n]*\n(?:\s*(?:#\[|//)[^\n]*\n)*\s*(?:async )?fn (\w+)")
PATH = re.compile(r"\w[\w./*-]+(?:/|\.(?:rs|py|sh|toml|json|md))|[\w.-]+(?:/[\w.*-]+)+")
FUNCTION = re.compile(r"(?:[A-Z]\w*::)?([a-z]\w*_\w+)|[A-Z]\w*::([a-z]\w*)")
NAME = re.compile(r"[a-z]\w*_\w*_\w*_\w*|\w+_\*")


def main():
    checks = [cited_numbers, incomplete_decisions, unknown_rules, promises_without_a_test, names_and_paths, functions, links]
    faults = [fault for check in checks for fault in check()]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def tracked(*endings):
    # Builds write into target meanwhile.
    skipped = {"target", "node_modules", ".git", "corpus", "artifacts"}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(set(folders) - skipped)
        yield from (Path(folder, name) for name in sorted(files) if Path(name).suffix in endings)


def shown(path):
    return path.relative_to(ROOT)


def headings(page):
    fenced = False
    for line in page.read_text().splitlines():
        fenced ^= line.startswith("```")
        if not fenced and re.match(r"#+ ", line):
            yield line.lstrip("#").strip()


def cited_numbers():
    known = {match[0].rstrip(".") for title in headings(DECISIONS) if (match := re.match(rf"{NUMBER}", title))}
    count = 0
    for path in tracked(".rs", ".md", ".py", ".toml"):
        # A list of numbers may go on in the next line of a comment.
        text = re.sub(r"\s*\n\s*(?://[/!]?|#)?\s*", " ", path.read_text())
        for numbers in CITED.findall(text):
            for number in re.findall(NUMBER, numbers):
                count += 1
                if number not in known:
                    yield f"{shown(path)}: decisions {number} is not a heading of docs/decisions.md"
    if count < 50:
        yield f"only {count} numbers of decisions were found: the pattern is wrong"


def sections(page, mark):
    return re.split(rf"^{mark} ", page.read_text(), flags=re.M)[1:]


def incomplete_decisions():
    for text in sections(DECISIONS, "###"):
        title = text.splitlines()[0]
        text = text.split("\n## ")[0]
        for wanted in ("*Why:*", "\nCode: `", "Test: `"):
            if wanted not in text.replace("Test:\n", "Test: "):
                yield f"docs/decisions.md: {title!r} has no {wanted.strip()!r}"


def unknown_rules():
    source = (ROOT / "crates/dtu-sim/src/world/mod.rs").read_text()
    rules = re.findall(r"^ +(\w+),$", source.partition("pub enum Rule {")[2].partition("}")[0], re.M)
    for name in re.findall(r"World: (\w+)", DECISIONS.read_text()):
        if name not in rules:
            yield f"docs/decisions.md: the world has no rule {name}, only {', '.join(rules)}"


def promises_without_a_test():
    for text in sections(ROOT / "docs" / "reliability.md", "###"):
        if not NAME.search(text.partition("Guarded by:")[2]):
            yield f"docs/reliability.md: {text.splitlines()[0]!r} names no test"


def quoted(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    return re.findall(r"`([^`\n]+)`", text)


def names_and_paths():
    tests = {name for path in tracked(".rs") for name in TEST.findall(path.read_text())}
    for page in (ROOT / name for name in NAMING):
        for text in quoted(page):
            if PATH.fullmatch(text):
                if not exists(text):
                    yield f"{shown(page)}: no such path: {text}"
            elif NAME.fullmatch(text) and not is_a_test(text, tests):
                yield f"{shown(page)}: no such test: {text}"


def functions():
    page = ROOT / "ARCHITECTURE.md"
    known = {name for path in tracked(".rs") for name in re.findall(r"\bfn (\w+)", path.read_text())}
    for text in quoted(page):
        match = FUNCTION.fullmatch(text)
        if match and (match[1] or match[2]) not in known and text != "no_std":
            yield f"{shown(page)}: no such function: {text}"


def exists(text):
    return any(next(ROOT.glob(f"{base}/{text.rstrip('/')}".lstrip("/")), None) for base in BASES)


def is_a_test(text, tests):
    return any(test.startswith(text[:-1]) for test in tests) if text.endswith("*") else text in tests


def anchors(page):
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings(page)}


def links():
    for page in tracked(".md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if re.match(r"\w+:", target):
                continue
            name, _, anchor = target.partition("#")
            other = page.parent / name if name else page
            if not other.exists():
                yield f"{shown(page)}: the link leads nowhere: {target}"
            elif anchor and anchor not in anchors(other):
                yield f"{shown(page)}: no such heading: {target}"


sys.exit(main())
