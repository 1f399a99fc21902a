"""The small changes that can be made to a C source, token by token.

An operator becomes its neighbour, a number one more or one less, true false; a negation, a whole
statement or the condition of an `if` goes away. Left alone is what says nothing about right or
wrong by construction: comments, strings, asserts, attributes, declarations (but not their initial
values), sizes of arrays, `{ 0 }`, by how much a buffer grows, and memory asked for in excess.
"""

import re
import sys
from collections import Counter, namedtuple
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = ["format/*.[ch]"] + ["src/store/" + name for name in (
    "append*.c", "aside.c", "file*.c", "flush*.c", "fresh.c", "io.c", "replace.c", "segment_*.c",
    "tail.c")]

# place: LINE:COLUMN:N in the file; key: what stays the same when lines move (see `equivalent`).
Mutant = namedtuple("Mutant", "file place kind key start end text")
Token = namedtuple("Token", "kind text start end")

TOKENS = re.compile(r"""
    (?P<cpp>    ^[ \t]*\#(?:\\\n|[^\n])*)
  | (?P<space>  \s+ | //[^\n]* | /\*.*?\*/)
  | (?P<str>    "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])+')
  | (?P<num>    \.?[0-9](?:[eEpP][+-]|[\w.])*)
  | (?P<id>     [A-Za-z_]\w*)
  | (?P<op>     <<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
""", re.X | re.S | re.M)

OPERATORS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
    "+": "-", "-": "+", "*": "+", "/": "*", "%": "/", "<<": ">>", ">>": "<<", "&": "|", "|": "&",
    "^": "&", "+=": "-=", "-=": "+=", "*=": "+=", "/=": "*=", "|=": "&=", "&=": "|=", "^=": "&=",
    "<<=": ">>=", ">>=": "<<=", "++": "--", "--": "++", "!": "", "~": "", "true": "false",
    "false": "true",
}
UNARY_TOO = {"*", "&", "-", "+"}
KEYWORDS = {"return", "case", "goto", "sizeof", "else", "do", "if", "while", "for", "switch"}
TYPE = re.compile(r"\w+_t|const|static|struct|enum|union|unsigned|signed|char|short|int|long|bool|"
                  r"float|double|void|FILE|DIR|ZSTD_\w+Ctx|pthread_\w+_t")
NUMBER = re.compile(r"(0[xX](?=[0-9a-fA-F])|)([0-9]+|(?<=[xX])[0-9a-fA-F]+)([uUlL]*)")
ALLOCATORS = {"malloc", "calloc", "realloc", "evs_scratch_get", "evs_buf_reserve"}
SKIPPED_CALLS = {"assert", "_Static_assert", "__attribute__", "sizeof"}
GROWTH = re.compile(r"\w*(cap|want)\b.*= .*cap\w* \?|^(cap|want) [*+]?= ")


class Source:
    """One file: its tokens, and the mutants found while walking its statements."""

    def __init__(self, name, text):
        self.name, self.text, self.found = name, text, []
        self.tokens, self.match, self.function = [], {}, "-"
        self.keys, self.starts = Counter(), Counter()
        macros = []
        for m in TOKENS.finditer(text):
            if m.lastgroup == "cpp":
                macros.append(m)
            elif m.lastgroup != "space":
                self.tokens.append(Token(m.lastgroup, m.group(), m.start(), m.end()))
        self.tokens.append(Token("op", ";", len(text), len(text)))
        for m in macros:
            self.macro(m)
        self.pair_up()
        self.top_level()

    # ---- the shape of the file -----------------------------------------------------------------

    def pair_up(self):
        opened = []
        for i, t in enumerate(self.tokens):
            if t.kind == "op" and t.text in "([{":
                opened.append(i)
            elif t.kind == "op" and t.text in ")]}":
                self.match[opened[-1]] = i
                self.match[i] = opened.pop()

    def is_op(self, i, text):
        return self.tokens[i].kind == "op" and self.tokens[i].text == text

    def top_level(self):
        i = 0
        while i < len(self.tokens):
            if self.is_op(i, "{"):
                before = self.tokens[i - 1].text
                if before == ")":
                    self.function = self.tokens[self.match[i - 1] - 1].text
                    self.block(i)
                    self.function = "-"
                elif before == "=":
                    self.expression(i + 1, self.match[i])
                i = self.match[i]
            elif self.is_op(i, "("):
                i = self.match[i]
            i += 1

    def block(self, i):
        end = self.match[i]
        i += 1
        while i < end:
            i = self.statement(i)
        return end + 1

    def statement(self, i):
        word = self.tokens[i].text
        if self.is_op(i, "{"):
            return self.block(i)
        if word in ("if", "while", "for", "switch"):
            close = self.match[i + 1]
            self.expression(i + 2, close)
            if word == "if":
                self.add("check", i + 2, close - 1, "0")
            i = self.statement(close + 1)
            return self.statement(i + 1) if word == "if" and self.tokens[i].text == "else" else i
        if word == "do":
            i = self.statement(i + 1)
            close = self.match[i + 1]
            self.expression(i + 2, close)
            return close + 2
        if word in ("case", "default") or self.is_op(i + 1, ":"):
            while not self.is_op(i, ":"):
                i += 1
            return i + 1
        end = i
        while not self.is_op(end, ";"):
            end = self.match[end] + 1 if end in self.match and self.tokens[end].text in "([{" \
                else end + 1
        if end > i:
            self.simple(i, end)
        return end + 1

    def simple(self, i, end):
        """An expression, a jump or a declaration, up to its semicolon."""
        self.expression(i, end)
        word = self.tokens[i].text
        if word != "return" and not self.declares(i) and word not in SKIPPED_CALLS:
            self.add("statement", i, end - 1, "")

    def declares(self, i):
        if self.tokens[i].kind != "id" or self.tokens[i].text in KEYWORDS:
            return False
        if TYPE.fullmatch(self.tokens[i].text):
            return True
        i += 1
        while self.is_op(i, "*"):
            i += 1
        return self.tokens[i].kind == "id" and self.tokens[i - 1].text not in KEYWORDS

    # ---- mutants -------------------------------------------------------------------------------

    def expression(self, i, end):
        text = self.text[self.tokens[i].start:self.tokens[end].start]
        if GROWTH.search(text):
            return
        if self.declares(i):
            while i < end and not self.is_op(i, "="):
                i += 1
        begin, plenty = i, 0
        while i < end:
            t = self.tokens[i]
            if t.text in ALLOCATORS and self.is_op(i + 1, "("):
                plenty = self.match[i + 1]
            if t.text in SKIPPED_CALLS and self.is_op(i + 1, "("):
                i = self.match[i + 1]
            elif self.is_op(i, "{") and self.tokens[i + 1].text == "0" and self.match[i] == i + 2:
                i += 2
            elif t.kind == "num":
                self.number(i, i > plenty)
            elif t.text in OPERATORS and t.kind != "str" and self.operates(i, begin):
                self.add("operator", i, i, OPERATORS[t.text])
            i += 1

    def operates(self, i, begin):
        """Not a pointer's star, an address or a sign."""
        if self.tokens[i].text not in UNARY_TOO or i == begin:
            return i > begin or self.tokens[i].text not in UNARY_TOO
        before, after = self.tokens[i - 1], self.tokens[i + 1]
        operand = before.kind in ("num", "id", "str") or before.text in (")", "]")
        is_type = before.kind == "id" and (TYPE.fullmatch(before.text) or before.text in KEYWORDS or
                                           TYPE.fullmatch(self.tokens[i - 2].text))
        cast = before.text == ")" and TYPE.fullmatch(self.tokens[self.match[i - 1] + 1].text)
        return operand and not is_type and not cast and after.text not in (")", "*", ",")

    def number(self, i, more=True):
        m = NUMBER.fullmatch(self.tokens[i].text)
        if not m:
            return  # a fraction
        value = int(m[2], 16 if m[1] else 10)
        if value == 0 and self.tokens[i - 1].text == "return":
            self.add("number", i, i, "-1")  # 1 is as good as 0 to who asks for < 0
            return
        for other in [value + 1] * more + [value - 1] * (value > 0):
            self.add("number", i, i, ("0x%x" if m[1] else "%d") % other + m[3])

    def macro(self, m):
        """Numbers that have a name."""
        define = re.match(r"\s*#\s*define\s+\w+[ \t]+", m.group())
        if not define:
            return
        body = re.sub(r"/\*.*|//.*", "", m.group()[define.end():])
        for n in re.finditer(r"(?<![\w.])[0-9]\w*", body):
            at = m.start() + define.end() + n.start()
            self.tokens.append(Token("num", n.group(), at, at + len(n.group())))
            self.number(len(self.tokens) - 1)
            self.tokens.pop()

    def add(self, kind, first, last, text):
        start, end = self.tokens[first].start, self.tokens[last].end
        what = self.text[start:end] if first == last else kind
        change = "%s -> %s" % (what, text) if first == last and text else what + " dropped"
        line_start = self.text.rfind("\n", 0, start) + 1
        line = " ".join(self.text[line_start:(self.text + "\n").index("\n", start)].split())
        key = "%s:%s | %s | %s" % (self.name, self.function, line, change)
        self.keys[key] += 1
        self.starts[start] += 1
        place = "%d:%d:%d" % (self.text.count("\n", 0, start) + 1, start - line_start + 1,
                              self.starts[start])
        # Lines keep their numbers, which assert() writes into the code.
        text += "\n" * (self.text.count("\n", start, end) - text.count("\n"))
        if self.keys[key] > 1:
            key += " #%d" % self.keys[key]
        self.found.append(Mutant(self.name, place, kind, key, start, end, text))


def of_file(root, name):
    return Source(name, (root / name).read_text()).found


def apply(text, mutant):
    return text[:mutant.start] + mutant.text + text[mutant.end:]


def files(only):
    names = sorted({str(p.relative_to(ROOT)) for glob in FILES for p in ROOT.glob(glob)})
    if only:
        names = [n for n in names if any(fnmatch(n, o) for o in only)]
    return {n: m for n in names if (m := of_file(ROOT, n))}


def equivalents(everything):
    """The listed keys; an entry that no mutant has is an error."""
    keys = {m.key for found in everything.values() for m in found}
    listed, stale, reason = set(), [], True
    for line in (ROOT / "tests/mutation/equivalent").read_text().splitlines():
        if line.startswith("\t"):
            reason = True
        elif line and not line.startswith("#"):
            if not reason:
                sys.exit("mutants: equivalent: no reason in front of: " + line)
            reason = False
            listed.add(line)
            if line not in keys:
                stale.append(line)
    if stale:
        sys.exit("mutants: equivalent: there is no such mutant:\n" + "\n".join(stale))
    return listed
