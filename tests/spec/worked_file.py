#!/usr/bin/env python3
"""Section 11 of spec/segment.md: corpus/good/one-row.evs in hex, every byte of it explained.

    worked_file.py            print the section
    worked_file.py --update   put it into spec/segment.md

tests/spec/run compares the section with what this prints.
"""

import os
import sys

import spec_frames as fr
import spec_schema
from spec_column import KINDS, Cursor, column

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FILE = os.path.join(ROOT, "corpus", "good", "one-row.evs")
SPEC = os.path.join(ROOT, "spec", "segment.md")
WIDTH = 16

INTRO = """`corpus/good/one-row.evs`: one row,
`{"id":7,"name":"first","ts":"2024-01-03T10:20:30Z"}`, as the first commit of a new segment, %d
bytes. Numbers behind a field's name are its value; fields that are zero, sums and random numbers
stand without one. `tests/spec/worked_file.py` wrote this section from the file, and the tests hold
both together.

"""

class Listing:
    def __init__(self, data):
        self.data, self.at, self.lines = data, 0, []

    def title(self, text):
        self.lines.append("")
        self.lines.append(f"    # {text}")

    def piece(self, size, text):
        data = self.data[self.at:self.at + size]
        for i in range(0, size, WIDTH):
            part = data[i:i + WIDTH]
            line = "    %5d  %-*s " % (self.at + i, 3 * WIDTH, part.hex(" "))
            self.lines.append((line + (text if not i else "")).rstrip())
        self.at += size

    def fields(self, layout, notes):
        values = vars(layout.unpack(self.data[self.at:]))
        for _, size, name in layout.table():
            value = values[name]
            note = notes.get(name)
            told = isinstance(value, int) and value and not name.endswith(("sum", "salt"))
            shown = f" {value}" if told else ""
            self.piece(size, name + shown + (f": {note}" if note else ""))

    def frame(self, title):
        self.title(title)
        salt = fr.head(fr.payload(self.data, fr.frame_head(self.data, 0, 0))).salt
        f = fr.frame_head(self.data, self.at, salt)
        self.fields(fr.FRAME, {"magic": '"\\x89EVS"',
                               "flags": "refuse when not known" if f.flags else None})
        return f

    def padding(self, f):
        if self.at < f.end:
            self.piece(f.end - self.at, "padding")


def head(out, copy):
    f = out.frame(("HEAD, the first copy",
                   "HEAD, the second copy: sums of its own over the same payload")[copy])
    if copy:
        out.lines.append("      ...  the payload again")
        out.at = f.off + 40 + f.payload_len
        out.padding(f)
        return None
    h = fr.head(fr.payload(out.data, f))
    out.fields(fr.HEAD_FIXED, {"unit": "weeks", "part_lo": "2024-01-01",
                               "part_hi": "2024-01-08"})
    out.piece(h.stream_len, f'stream "{h.stream.decode()}"')
    out.piece(h.schema_stored_len, "schema: " +
              ("zstd" if h.schema_stored_len < h.schema_len else "as it is"))
    out.padding(f)
    out.lines.append("")
    out.lines += ["        " + line for line in h.schema.decode().strip().splitlines()]
    return h


def group(out, h):
    f = out.frame("GROUP")
    g = fr.group(fr.payload(out.data, f), f)
    out.fields(fr.GROUP_FIXED, {"schema_off": "HEAD's", "flags": "packed",
                                "columns": "_extra is the last"})
    out.fields(fr.BLOCK, {"column": "packed", "codec": "none"})
    columns = spec_schema.columns(h.schema, g.columns)
    for name, kind, _ in columns:
        cur = Cursor(out.data, out.at)
        v = cur.varint()
        out.piece(cur.pos - out.at, f"{name}: " +
                  (f"v = {v}, {v >> 1} bytes" if v else "v = 0, null in every row"))
        if v:
            part = Cursor(out.data, out.at, out.at + (v >> 1))
            value = column(part, spec_schema.shape(kind), g.rows, 0)[0]
            out.piece(v >> 1,
                      f"{KINDS[out.data[out.at]]} {spec_schema.value_text(value, kind).decode()}")
    out.padding(f)


def commit(out):
    f = out.frame("COMMIT")
    c = fr.commit(fr.payload(out.data, f), f.off)
    out.fields(fr.COMMIT_FIXED, {"first_group": "the GROUP",
                                 "time_min": "2024-01-03T10:20:30Z", "time_max": "the same",
                                 "prev_off": "none", "index_off": "none",
                                 "schema_off": "HEAD's"})
    for kind, flags, body in fr.sections(fr.payload(out.data, f)[168:]):
        names = {1: "GROUPS", 2: "ZONES"}
        out.piece(2, f"section {kind}, {names[kind]}")
        out.piece(2, "refuse when not known" if flags & 1 else "ignore when not known")
        out.piece(4, f"length {len(body)}")
        if kind == 1:
            out.fields(fr.GROUP_REF, {})
        else:
            zones(out, c)
        if out.at % 8:
            out.piece(-out.at % 8, "padding")
    for copy in (0, 1):
        out.title(f"trailer, copy {copy}")
        out.fields(fr.TRAILER, {"magic": '"EVST"'})


def zones(out, c):
    cur = Cursor(out.data, out.at)
    cur.varint()
    out.piece(cur.pos - out.at, f"{len(c.zones)} zones")
    for z in c.zones:
        values = [v for v, there in ((z.min, z.flags & 1), (z.max, z.flags & 18 == 2)) if there]
        size = 4 + sum(1 + len(v) for v in values)
        what = ("all null", "minimum, which is the maximum, too", "minimum, maximum")[len(values)]
        out.piece(size, f"group {z.group}, column {z.column}, flags {z.flags:#x}, nulls "
                        f"{z.nulls}: {what}")


def section():
    with open(FILE, "rb") as f:
        out = Listing(f.read())
    h = head(out, 0)
    head(out, 1)
    group(out, h)
    commit(out)
    assert out.at == len(out.data)
    return "## 11 Worked file\n\n" + INTRO % len(out.data) + "\n".join(out.lines[1:]) + "\n\n"


def written():
    with open(SPEC, encoding="utf-8") as f:
        text = f.read()
    start = text.index("## 11 Worked file")
    return text, start, text.index("## 12 ", start)


def main():
    if sys.argv[1:] != ["--update"]:
        print(section(), end="")
        return
    text, start, end = written()
    with open(SPEC, "w", encoding="utf-8") as f:
        f.write(text[:start] + section() + text[end:])


if __name__ == "__main__":
    main()
