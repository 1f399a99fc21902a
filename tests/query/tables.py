"""Random tables for tests/query/random.py: columns of every kind, extremes and NULLs among the
values."""

import json
import uuid
from datetime import datetime, timedelta, timezone
from fractions import Fraction

from plain import Column, decimal_text

WEEK = datetime(2025, 1, 6, tzinfo=timezone.utc)


def print_time(digits):
    def show(ns):
        s, ns = divmod(ns, 10 ** 9)
        at = datetime(1970, 1, 1) + timedelta(seconds=s)
        fraction = "." + ("%09d" % ns)[:digits] if digits else ""
        return at.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"
    return show


def integers(r, bits, signed, n=12):
    lo, hi = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return [lo, hi, 0, 1] + [r.randint(lo, hi) for _ in range(n // 2)
                             ] + [r.randint(0, min(hi, 100)) for _ in range(n // 2)]


WORDS = [
    "", "a", "ab", "abc", "b", "FAILED", "failed", "100%", "under_score", "it's", "back\\slash",
    "caf\u00e9", "\u00fcber", "\U0001f600 smile", "line\nbreak", "a" * 40, "a" * 40 + "b",
    "zz\u007f", "timeout after 30s", "timeout after 31s"
]


def columns(r):
    start = int(WEEK.timestamp()) * 10 ** 9
    out = [
        Column("i8", "Int8", "int", integers(r, 8, True), small=True),
        Column("i32", "Int32", "int", integers(r, 32, True), small=True),
        Column("i64", "Int64", "int", integers(r, 64, True)),
        Column("u8", "UInt8", "int", integers(r, 8, False), small=True),
        Column("u64", "UInt64", "int", integers(r, 64, False)),
        Column("f", "Float64", "float",
               [0.0, -0.5, 1e300, -1e-300, 2.0**53] + [r.randint(-400, 400) / 8 for _ in range(8)]),
        Column("d", "Decimal(12, 2)", "decimal",
               [Fraction(r.randint(-10**6, 10**6), 100) for _ in range(10)] + [Fraction(0)]),
        Column("s", "String", "text", r.sample(WORDS, 12)),
        Column("lc", "LowCardinality(String)", "text", r.sample(WORDS, 4)),
        Column("e", "Enum('b' = -3, 'a' = 1, 'long name' = 200)", "enum", ["a", "b", "long name"]),
        Column("id", "UUID", "uuid", [str(uuid.UUID(int=r.getrandbits(128))) for _ in range(10)]),
        Column("day", "Date", "time",
               [(start // 10**9 // 86400 + r.randint(-400, 400)) * 86400 * 10**9
                for _ in range(8)]),
        Column("t9", "DateTime64(9)", "time",
               [start + r.randint(-10**16, 10**16) for _ in range(8)]),
        Column("yes", "Bool", "bool", [True, False]),
        Column("tags",
               "Array(String)",
               "array", [[], ["a"], ["a", "b"], ["caf\u00e9", "", "x"]],
               nullable=False),
        Column("nums",
               "Array(Int32)",
               "array", [[], [1], [1, 2, 3], [-2147483648, 7]],
               nullable=False),
        Column("attrs",
               "Map(String, String)",
               "map", [{}, {"k": "v"}, {"k": "w", "x.y": "z"}],
               nullable=False),
    ]
    for c in out:
        if c.kind == "enum":
            c.numbers = {"b": -3, "a": 1, "long name": 200}
        if c.kind == "decimal":
            c.scale = 2
        if c.kind == "time":
            c.print = (lambda ns: print_time(0)(ns)[:10]) if c.ddl == "Date" else print_time(9)
    return out


def ddl(cols, key):
    body = ["n UInt32 NOT NULL", "ts DateTime64(3) NOT NULL", "who String NOT NULL"]
    body += ["%s %s" % (c.name, c.ddl if not c.nullable else "%s NULL" % c.ddl) for c in cols]
    body += ["INDEX i%s %s TYPE bloom_filter" % (c, c) for c in (c.name for c in cols if c.indexed)]
    return (
        "CREATE TABLE t (%s) ENGINE = MergeTree PARTITION BY (who, toMonday(ts)) ORDER BY (%s);\n" %
        (",\n".join(body), key))


def to_json(c, v):
    if c.kind == "decimal":
        return "\1%s\1" % decimal_text(v, c.scale)
    return c.print(v) if c.kind == "time" else v


def rows(r, cols, count):
    """Rows with a number, a tenant and a time; values are clustered, so that zones and filters can
    rule groups out."""
    out = []
    for n in range(count):
        at = WEEK + timedelta(seconds=r.randint(0, 9 * 86400), milliseconds=r.randint(0, 999))
        row = {
            "n": n, "ts": int(at.timestamp() * 1000) * 10**6,
            "who": r.choice(["acme"] * 8 + ["zeta's", "\u00e4"])
        }
        for c in cols:
            some = c.values if r.random() < .01 else c.values[n // 200 % len(c.values):][:3]
            null = c.nullable and r.random() < (.15 if n // 200 % 3 else .001)
            row[c.name] = None if null else r.choice(some)
        out.append(row)
    return out


def line(cols, row):
    shown = {"n": row["n"], "ts": print_time(3)(row["ts"]), "who": row["who"]}
    for c in cols:
        if row[c.name] is not None:
            shown[c.name] = to_json(c, row[c.name])
    return json.dumps(shown).replace('"\\u0001', "").replace('\\u0001"', "")
