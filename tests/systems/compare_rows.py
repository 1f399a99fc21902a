"""Rows as JSON with exact numbers, and their comparison as multisets.

A wanted row may hold marks: "<uuid4>" for any version 4 UUID, "<serial>" for any number that a
writer gives.
"""

import json
import re
from decimal import MAX_PREC, Context, Decimal

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MARKS = {"<uuid4>": lambda v: isinstance(v, str) and bool(UUID4.fullmatch(v)),
         "<serial>": lambda v: isinstance(v, Decimal) and v > 0}
EXACT = Context(prec=MAX_PREC)


def no_twins(pairs):
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a key comes twice: %r" % pairs)
    return row


def parse(line):
    """A line as JSON with exact numbers."""
    return json.loads(line, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=no_twins)


def parse_all(data):
    return [parse(line) for line in data.decode().split("\n") if line.strip()]


def canonical(value):
    """Text that is the same for the same JSON value, whatever the order of keys and the spelling of
    numbers."""
    if isinstance(value, dict):
        return "{%s}" % ",".join("%s:%s" % (json.dumps(k), canonical(value[k]))
                                 for k in sorted(value))
    if isinstance(value, list):
        return "[%s]" % ",".join(map(canonical, value))
    if isinstance(value, Decimal):
        return ("-" if value.is_signed() else "") + "0" if not value else str(
            value.normalize(EXACT))
    return json.dumps(value)


def marks_of(row):
    return {k: v for k, v in row.items() if isinstance(v, str) and v in MARKS}


def without(row, columns):
    return canonical({k: v for k, v in row.items() if k not in columns})


def match(got, want):
    """Pair rows as multisets: ([(wanted, got)], wanted but absent, got but not wanted)."""
    plain = {}
    for row in got:
        plain.setdefault(canonical(row), []).append(row)
    pairs, open_rows, absent = [], [], []
    for row in want:
        if not marks_of(row) and plain.get(canonical(row)):
            pairs.append((row, plain[canonical(row)].pop()))
        else:
            open_rows.append(row)
    left = [row for rows in plain.values() for row in rows]
    for row in open_rows:
        marks = marks_of(row)
        rest = without(row, marks)
        for other in left:
            if rest != without(other, marks):
                continue
            if all(MARKS[m](other.get(k)) for k, m in marks.items()):
                pairs.append((row, other))
                left.remove(other)
                break
        else:
            absent.append(row)
    return pairs, absent, left


def shown(rows):
    more = ["and %d more" % (len(rows) - 3)] if len(rows) > 3 else []
    return "; ".join([canonical(r) for r in rows[:3]] + more)


def same_rows(t, name, got, want):
    """Check that the rows are the same multiset; the pairs."""
    pairs, absent, extra = match(got, want)
    t.check(name, not absent and not extra, "absent %d: %s | not expected %d: %s"
            % (len(absent), shown(absent), len(extra), shown(extra)))
    return pairs
