#!/usr/bin/env python3
"""The second reader: rows of segment files, read by spec/ alone.

    reader.py [--census] [--check] [--nulls] FILE.evs... > rows

Prints one JSON object a row, as `evcat FILE` does. --check looks at everything that a file holds,
also what rows do not need: hashes, zones, time bounds, the frames between. --census prints how
often each kind of node occurs instead of the rows.

Exit status: 0 read, 3 damaged: what is broken is named on stderr with its rule, the rest was
printed.
"""

import argparse
import json
import sys

import spec_check
import spec_column
import spec_schema
from spec_column import Broken, TooBig
from spec_frames import group_columns
from spec_segment import Segment


def rows_of(segment, group, current, options):
    """The rows of a group, as bytes, by the schema `current`. What is not printed is read only to
    be checked."""
    known = spec_schema.columns(segment.schema(group.schema_off), group.columns)
    values = group_columns(segment.data, group.frame, group,
                           [spec_schema.shape(kind) if name != "_time" or options.check else None
                            for name, kind, _ in known])
    old = {name: (kind, column) for (name, kind, _), column in zip(known, values)}
    wanted, extra = [], [None] * group.rows
    for name, kind, default in current:
        was, column = old.get(name, (kind, [default] * group.rows))
        wanted.append((name, kind, [spec_schema.convert(v, was, kind) for v in column]))
    if "_extra" in old:
        extra = old["_extra"][1]
    group.values = old
    for i in range(group.rows):
        kept = json.loads(extra[i]) if extra[i] is not None else {}  # schema.md 6-3
        parts = [spec_schema.quote(name.encode()) + b":" + spec_schema.value_text(column[i], kind)
                 for name, kind, column in wanted
                 if (options.nulls or column[i] is not None) and not (name in kept and
                                                                      name not in old)]
        if extra[i] is not None and extra[i] != b"{}":
            parts.append(extra[i][1:-1])
        yield b"{" + b",".join(parts) + b"}\n"


def read(path, out, options):
    """Print the rows of a file. Returns False when something in it is damaged."""
    with open(path, "rb") as f:
        data = f.read()
    try:
        segment = Segment(data)
    except Broken as e:
        print(f"reader: {path}: {e}", file=sys.stderr)
        return False
    try:
        current = spec_schema.table(segment.schema_in_force())
    except (Broken, spec_schema.Unreadable) as e:
        segment.fault(segment.newest.commit_off if segment.newest else 0, e)
        current = None
    for group in segment.groups if current is not None else ():
        try:
            lines = list(rows_of(segment, group, current, options))
        except (Broken, spec_schema.Unreadable) as e:
            segment.fault(group.off, e, group.rows)
            continue
        finally:
            for off, text in group.frame.notes:
                segment.fault(off, text)
        if not options.census:
            out.writelines(lines)
    if options.check:
        spec_check.check(segment)
    for off, rows, text in sorted(segment.faults, key=lambda f: f[0]):
        lost = f" ({rows} rows)" if rows else ""
        print(f"reader: {path}: offset {off}: {text}{lost}", file=sys.stderr)
    return not segment.faults


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--census", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--nulls", action="store_true")
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    status = 0
    for path in options.files:
        try:
            if not read(path, sys.stdout.buffer, options):
                status = 3
        except TooBig as e:
            print(f"reader: {path}: {e}", file=sys.stderr)
            status = 4
    if options.census:
        for (shape, kind), n in sorted(spec_column.census.items()):
            print(f"{n:8} {shape} {kind}")
    return status


if __name__ == "__main__":
    sys.exit(main())
