"""Finds the places of mutations by marks in the code, and edits what stands behind a mark.

A mark is a line `// mutant: NAME` directly above a statement, a match arm, a constant, a field or the last expression of
a block. An edit changes that piece by its syntax, so it survives what `cargo fmt` does, and most renames:

>>> def try_it(edit, code):
...     print(edit.of(code, "x"))
>>> try_it(delete, "{ a();\\n// mutant: x\\nself.b(|n| { n; n })\\n  .c();\\nd(); }")
{ a();
// mutant: x
<BLANKLINE>
d(); }
>>> try_it(value("None"), "match a {\\n// mutant: x\\nA { .. } | B => f(a, b),\\nC => d }")
match a {
// mutant: x
A { .. } | B => None,
C => d }
>>> try_it(value("None"), "match a {\\n// mutant: x\\nA | B => {\\n  f(a)\\n}\\nC => d }")
match a {
// mutant: x
A | B => {
  None
}
C => d }
>>> try_it(value("2"), "// mutant: x\\npub(crate) const A: [u8; 1] = [1];")
// mutant: x
pub(crate) const A: [u8; 1] = 2;
>>> try_it(condition("$ || a"), "// mutant: x\\nif let B { a } = c && d { e } else { f }\\ng")
// mutant: x
if let B { a } = c && d || a { e } else { f }
g
>>> try_it(instead("if ok { $ }"), "// mutant: x\\na(b, c);\\nd")
// mutant: x
if ok { a(b, c); }
d
>>> try_it(swap("max($most)", "min(2 * $most)"), "{\\n// mutant: x\\na.max(\\n  b(1),\\n)\\n}")
{
// mutant: x
a.min(2 * b(1))
}
>>> try_it(swap("$first && $rest", "$first"), "{\\n// mutant: x\\na(1) && b && c\\n}")
{
// mutant: x
a(1)
}
>>> try_it(swap("b", "c"), "{\\n// mutant: x\\na(b) + b;\\n}")
Traceback (most recent call last):
    ...
marks.DoesNotApply: `b` stands 2 times in what is marked
"""

import re

MARK = re.compile(r"^[ \t]*// mutant: ([a-z0-9]+(?:-[a-z0-9]+)*)\n", re.M)
LIKE_A_MARK = re.compile(r"^.*\bmutant:.*$", re.M)

TOKEN = re.compile(
    r"""(?P<nothing>\s+|//[^\n]*|/\*.*?\*/)
    |\$[a-z_]+                                              # of a pattern: any code
    |b?c?r(?P<hashes>\#*)".*?"(?P=hashes)|[bc]?"(?:\\.|[^"\\])*"
    |b?'(?:\\[^']+|\\'|[^'\\])'|'\w+                        # a character, a lifetime
    |\w+(?:(?<=\d)\.\d\w*)?
    |\.\.=|::|->|=>|==|!=|<=|>=|&&|\|\||[-+*/%^&|]=|\.\.|.""",
    re.X | re.S,
)
OPENING, CLOSING = "([{", ")]}"
BLOCKS = {"if", "match", "for", "while", "loop", "unsafe", "fn", "{"}
ENDS_BY_SEMICOLON = {"let", "const", "static", "return"}
ASSIGNS = {"=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^="}
# Behind the `}` of a pattern or of a part: it does not end an `if` or its like.
GOES_ON = {"else", ".", "?", "=", "&&", "||", "|", "in", "=>"}


class DoesNotApply(Exception):
    """The code is no longer what the list says."""


class Token(str):
    """A token of Rust that knows where it stands."""

    begin = end = 0


def tokens_of(code, begin=0):
    tokens = []
    for found in TOKEN.finditer(code, begin):
        if not found["nothing"]:
            token = Token(found[0])
            token.begin, token.end = found.span()
            tokens.append(token)
    return tokens


def behind(tokens, place):
    """Where the token, or with a bracket all up to its other one, ends."""
    depth = 0
    for place in range(place, len(tokens)):
        depth += (tokens[place] in OPENING) - (tokens[place] in CLOSING)
        if depth <= 0:
            return place + 1
    raise DoesNotApply("a bracket is not closed")


def tops(tokens):
    """The tokens that are in no bracket, by place; of a bracket its opening one. Ends where the tokens around close."""
    place = 0
    while place < len(tokens) and tokens[place] not in CLOSING:
        yield place, tokens[place]
        place = behind(tokens, place)


def find_mark(code, name):
    """The tokens of the statement, arm, constant, field or last expression behind the mark."""
    mark = next((mark for mark in MARK.finditer(code) if mark[1] == name), None)
    if mark is None:
        raise DoesNotApply("no mark")
    tokens = tokens_of(code, mark.end())
    while tokens and tokens[0] == "#":
        del tokens[: behind(tokens, 1)]
    end = extent(tokens)
    if end == 0:
        raise DoesNotApply("nothing stands behind the mark")
    return tokens[:end]


def extent(tokens):
    kind = kind_of(tokens)
    is_arm = False
    end = 0
    for place, token in tops(tokens):
        end = behind(tokens, place)
        follows = tokens[end] if end < len(tokens) else ""
        if token == ";" or token == "," and kind not in ENDS_BY_SEMICOLON:
            break
        if token == "{" and kind in BLOCKS and follows not in GOES_ON:
            break
        if token == "{" and is_arm and tokens[place - 1] == "=>":
            return end + (follows == ",")
        is_arm |= token == "=>"
    return end


def kind_of(tokens):
    """The word that says what this is: `if`, `let`, `fn`, … or just its first token."""
    begin = 0
    if tokens and tokens[0] == "pub":
        begin = behind(tokens, 1) if tokens[1] == "(" else 1
    words = tokens[begin : begin + 2]
    return "fn" if words == ["const", "fn"] else (words or [""])[0]


def without_end(tokens):
    return tokens[:-1] if tokens[-1] in ";," else tokens


class Edit:
    """Replaces what `part` finds in the marked piece by `new`, in which `$` stands for what was there."""

    def __init__(self, part, new):
        self.part, self.new = part, new

    def of(self, code, name):
        piece = find_mark(code, name)
        old, found = self.part(piece)
        text = re.sub(r"\$([a-z_]*)", lambda hole: source(code, found[hole[1]] if hole[1] else old), self.new)
        if tokens_of(text) == [str(token) for token in old]:
            raise DoesNotApply("the edit changes nothing")
        return code[: old[0].begin] + text + code[old[-1].end :]


def source(code, tokens):
    return code[tokens[0].begin : tokens[-1].end]


def instead(new):
    """All of the marked piece becomes `new`."""
    return Edit(lambda piece: (piece, {}), new)


delete = instead("")


def value(new):
    """What is assigned, what an arm or a field gives, or all of an expression becomes `new`."""

    def part(piece):
        piece = without_end(piece)
        begins = [0]
        if len(piece) > 1 and piece[1] == ":":
            begins = [2]
        for place, token in tops(piece):
            if token == "=>" or token in ASSIGNS and not piece[0] in BLOCKS:
                begins.append(place + 1)
        given = piece[begins[1] if len(begins) > 1 else begins[0] :]
        # The block of an arm ends it without a comma, so it stays one.
        is_block = given[0] == "{" and behind(given, 0) == len(given) and "=>" in piece
        return given[1:-1] if is_block else given, {}

    return Edit(part, new)


def condition(new):
    """What an `if` or `while` asks, or a `match` looks at, becomes `new`."""

    def part(piece):
        if piece[0] not in ("if", "while", "match"):
            raise DoesNotApply(f"there is no condition in `{piece[0]} …`")
        for place, token in tops(piece):
            end = behind(piece, place)
            if token == "{" and (end == len(piece) or piece[end] not in GOES_ON - {"else"}):
                return piece[1:place], {}
        raise DoesNotApply("no block stands behind the condition")

    return Edit(part, new)


def swap(old, new):
    """The tokens `old`, which stand once in the marked piece, become `new`.

    `$name` in `old` is any code with all its brackets, and means the same in `new`. In front of all others it begins with
    the piece, behind all others it ends with it.
    """
    pattern = tokens_of(old)

    def part(piece):
        piece = without_end(piece)
        begins = [0] if pattern[0][0] == "$" else range(len(piece))
        found = [(begin, *match) for begin in begins for match in [match_at(pattern, piece, begin, {})] if match]
        if len(found) != 1:
            raise DoesNotApply(f"`{old}` stands {len(found)} times in what is marked")
        begin, end, holes = found[0]
        return piece[begin:end], holes

    return Edit(part, new)


def match_at(pattern, tokens, begin, holes):
    """Where the pattern that begins here ends, and what its holes are; None = it does not begin here."""
    if not pattern:
        return begin, holes
    first, rest = pattern[0], pattern[1:]
    if first in CLOSING and tokens[begin : begin + 2] == [",", first]:
        begin += 1  # rustfmt puts a comma where it breaks lines
    if first[0] != "$":
        here = begin < len(tokens) and tokens[begin] == first
        return match_at(rest, tokens, begin + 1, holes) if here else None
    end = begin
    while end < len(tokens) and tokens[end] not in CLOSING:
        end = behind(tokens, end)
        filled = tokens[begin:end]
        match = (rest or end == len(tokens)) and holes.get(first[1:], filled) == filled
        match = match and match_at(rest, tokens, end, {**holes, first[1:]: filled})
        if match:
            return match
    return None
