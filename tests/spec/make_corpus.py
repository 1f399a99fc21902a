#!/usr/bin/env python3
"""Make the golden segments of corpus/good and corpus/crash.

    make_corpus.py BINDIR [NAME...]

Segments hold a random id and salt, so each run makes other bytes: a golden file is made once and kept for ever,
also when later writers lay rows down otherwise. Run this only to add a file (name it: files that are there are
left alone). Each case says how its rows are appended, with evschema and evappend; NAME.ndjson is then what
evcat prints, and tests/spec/run holds it against reader.py. forge_corpus.py makes the files that no writer makes.
"""

import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import uuid

from spec_schema import float_text

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "..", "..", "corpus")
NOW = "2024-03-01T12:00:00.123456789Z"
WEEK = "ENGINE = MergeTree PARTITION BY toMonday(ts) ORDER BY ts"

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", "-")] = f
    return f


class Store:
    """A stream in a temporary folder."""

    def __init__(self, bindir, folder):
        self.bindir, self.folder, self.stream = bindir, folder, None

    def run(self, tool, *args, stdin=b"", want=0):
        done = subprocess.run([os.path.join(self.bindir, tool), "--now", NOW, *args], input=stdin,
                              capture_output=True, cwd=self.folder)
        if done.returncode != want:
            raise SystemExit(f"{tool} {args}: {done.returncode}: {done.stderr.decode()}")
        return done.stdout

    def schema(self, text):
        with open(os.path.join(self.folder, "schema.sql"), "w") as f:
            f.write(text)
        self.run("evschema", "-q", "apply", "st", "schema.sql")
        self.stream = re.search(r"CREATE TABLE (?:IF NOT EXISTS )?\"?(\w+)", text).group(1)

    def append(self, rows, *args, stream=None, want=0):
        """Rows: objects, or lines of JSON as they are."""
        lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in rows]
        self.run("evappend", *args, "st/" + (stream or self.stream),
                 stdin="".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass"), want=want)
        self.stream = stream or self.stream

    def segments(self):
        found = []
        for root, _, files in os.walk(os.path.join(self.folder, "st")):
            found += [os.path.join(root, f) for f in files if f.endswith(".evs")]
        return sorted(found)

    def only(self):
        found = self.segments()
        assert len(found) == 1, found
        return found[0]


def at(i, start="2024-01-01T00:00:00", digits=0):
    """The i-th second behind a Monday, as text."""
    day, rest = divmod(i, 86400)
    text = "2024-01-%02dT%02d:%02d:%02d" % (1 + day, rest // 3600, rest // 60 % 60, rest % 60)
    return text + ("." + "%0*d" % (digits, i * 7919 % 10 ** digits) if digits else "") + "Z"


# ---- shapes of files -------------------------------------------------------------------------------


@case
def one_row(s):
    s.schema("CREATE TABLE jobs (id UInt32, name String, ts DateTime NOT NULL) " + WEEK)
    s.append([{"id": 7, "name": "first", "ts": "2024-01-03T10:20:30Z"}])


@case
def three_rows(s):
    """One commit of three rows, packed; the base of most of corpus/bad."""
    s.schema("CREATE TABLE t (id UInt32, name String, ts DateTime NOT NULL) " + WEEK)
    s.append([{"id": 1, "name": "a", "ts": at(1)}, {"id": 2, "ts": at(2)}, {"id": 300, "name": "ccc", "ts": at(3)}])


@case
def three_commits(s):
    """Three commits of one row each."""
    s.schema("CREATE TABLE t (id UInt32, ts DateTime NOT NULL) " + WEEK)
    for i in range(3):
        s.append([{"id": i, "ts": at(i)}])


@case
def many_commits(s):
    """More than two times 64 commits: INDEX frames, the last with a reference of level 1."""
    s.schema("CREATE TABLE t (ts DateTime NOT NULL) " + WEEK)
    s.append([{"ts": at(i)} for i in range(131)], "--flush-rows", "1")


@case
def indexed_sources(s):
    """An INDEX that names sources, one of which moves on behind it."""
    s.schema("CREATE TABLE t (ts DateTime NOT NULL) " + WEEK)
    s.append([{"ts": at(i)} for i in range(60)], "--flush-rows", "1", "--source", "early")
    s.append([{"ts": at(i)} for i in range(60, 67)], "--flush-rows", "1", "--source", "late")


@case
def two_sources(s):
    s.schema("CREATE TABLE t (n Int32, ts DateTime NOT NULL) " + WEEK)
    s.append([{"n": 1, "ts": at(1)}, {"n": 2, "ts": at(2)}], "--source", "feed-b")
    s.append([{"n": 3, "ts": at(3)}], "--source", "feed-a")
    s.append([{"n": 4, "ts": at(4)}], "--source", "fee\u00e9")


@case
def columns_apart(s):
    """A group with a block for each column, some of them null throughout, and zstd."""
    r = random.Random(1)
    s.schema("CREATE TABLE logs (id UUID, level Enum('DEBUG' = 10, 'INFO' = 20, 'ERROR' = 40), message String, "
             "never Nullable(Int32), host LowCardinality(String), attributes Map(String, String), "
             "ts DateTime64(3) NOT NULL) " + WEEK)
    words = "connection refused by peer while reading response header from upstream request timed out".split()
    s.append([{"id": str(uuid.UUID(int=r.getrandbits(128), version=4)), "level": r.choice(["DEBUG", "INFO", "ERROR"]),
               "message": " ".join(r.choice(words) for _ in range(r.randrange(3, 12))),
               "host": "web-%d.example.net" % r.randrange(6),
               "attributes": {"region": r.choice(["eu", "us"]), "try": str(r.randrange(3))},
               "ts": at(i * 11, digits=3)} for i in range(700)])


@case
def several_groups(s):
    """Commits of several groups, with more rows than one group of the writer holds when it is told to be small."""
    s.schema("CREATE TABLE t (k String, v Float64, ts DateTime NOT NULL) " + WEEK)
    s.append([{"k": "k%d" % (i % 5), "v": i / 8, "ts": at(i * 37 % 5000)} for i in range(400)], "--flush-rows", "150")


@case
def schema_change(s):
    """SCHEMA frames: columns gained (with and without DEFAULT), wider types, enum items."""
    s.schema("CREATE TABLE c (a Int8, b Int32, e Enum('x' = 1), d Decimal(5, 2), w Decimal(9, 3), dt Date, t DateTime64(3), "
             "f Float32, fs FixedString(3), u UUID, n Array(Int8), m Map(String, Int16), bo Bool, us UInt32, ts DateTime NOT NULL) "
             + WEEK)
    old = {"a": -5, "b": 7, "e": "x", "d": 1.5, "w": -2.125, "dt": "2024-01-01", "t": "2024-01-01T00:00:00.123Z", "f": 0.1,
           "fs": "ab", "u": "00000000-0000-4000-8000-000000000001", "n": [1, -1], "m": {"k": -2}, "bo": True,
           "us": 4000000000, "ts": at(0)}
    s.append([old, {"ts": at(1)}])
    s.schema("CREATE TABLE c (a Int64, b Float64, e Enum('x' = 1, 'y' = 2), d Decimal(20, 4), w Decimal(12, 5), dt String, "
             "t DateTime64(6), f Float64, fs FixedString(8), u String, n Array(Int32), m Map(String, Int64), bo JSON, us Int64, "
             "ts DateTime64(3) NOT NULL, nw Int32 DEFAULT 7, nx String NOT NULL DEFAULT 'hello', ny String) " + WEEK)
    new = {"a": 1 << 40, "b": 7.5, "e": "y", "d": 1.5001, "w": 3, "dt": "someday", "t": "2024-01-01T00:00:00.123456Z",
           "f": 0.1, "fs": "abcdefgh", "u": "no uuid", "n": [100000], "m": {"k": 1 << 40}, "bo": [True], "us": -1,
           "ts": "2024-01-01T00:00:02.500Z", "ny": ""}
    s.append([new, {"ts": at(3)}])
    s.schema("CREATE TABLE c (a String, b JSON, e String, d String, w JSON, dt String, t String, f String, fs String, u JSON, "
             "n JSON, m JSON, bo JSON, us String, ts DateTime64(6) NOT NULL, nw Decimal(20, 1) DEFAULT 7, nx JSON NOT NULL "
             "DEFAULT '\"hello\"', ny JSON, more Array(String) DEFAULT ['p', 'q'], neg Float64 DEFAULT -1.5) " + WEEK)
    s.append([{"a": "", "nx": {}, "ts": at(4)}])


@case
def compressed_schema(s):
    """A schema text that is stored compressed, with comments, an index and a view in it."""
    names = ", ".join("column_number_%d Nullable(String) COMMENT 'the text that came as number %d'" % (i, i) for i in range(40))
    s.schema(f"-- A wide table.\nCREATE TABLE IF NOT EXISTS wide ({names},\n"
             "  /* the time */ ts DateTime NOT NULL,\n  INDEX i column_number_3 TYPE bloom_filter GRANULARITY 1,\n"
             "  CONSTRAINT c CHECK column_number_1 != 'never'\n) " + WEEK.replace("ORDER BY ts", "ORDER BY (toDate(ts), ts)") +
             " TTL ts + INTERVAL 90 DAY SETTINGS index_granularity = 8192;\nCREATE INDEX j ON wide (column_number_4);\n")
    s.append([{"column_number_%d" % (i * 3 % 40): "v%d" % i, "ts": at(i)} for i in range(10)])


@case
def odd_ddl(s):
    """Types, quoting and comments of both dialects."""
    s.schema("""CREATE TYPE "My Mood" AS ENUM ('sad', 'ok''ay');
CREATE TYPE mood AS ENUM ('x','y');
/* a /* nested */ comment ) */
#! and another
CREATE TABLE odd ( "a""b" int8 DEFAULT 3, `c\\`d` Int8, m mood, mm "My Mood", t text DEFAULT E'it\\'s', -- with , and )
a.b Int32 unsigned, fl float(30), v varchar(3) check (length(v) < 3), i json default '{"a": 1}'::json, ts timestamptz NOT NULL,
) PARTITION BY RANGE (date_trunc('week', ts));
""")
    s.append(['{"ts":"2024-01-01","m":"y","mm":"ok\'ay","a.b":4}', '{"ts":"2024-01-01","m":"x","fl":0.1,"a\\"b":-9,"c`d":-1}'])


# ---- partitions and tenants --------------------------------------------------------------------------


@case
def month(s):
    s.schema("CREATE TABLE t (n Int8, ts DateTime NOT NULL) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY ts")
    s.append([{"n": 1, "ts": "2024-02-29T23:59:59Z"}, {"n": 2, "ts": "2024-02-01T00:00:00Z"}])


@case
def day(s):
    s.schema("CREATE TABLE t (n Int8, ts DateTime64(9) NOT NULL) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY ts")
    s.append([{"n": 1, "ts": "1969-12-31T23:59:59.999999999Z"}, {"n": 2, "ts": "1969-12-31T00:00:00Z"}])


@case
def first_year(s):
    """Times in front of what nanoseconds since 1970 can say."""
    s.schema("CREATE TABLE t (n Int8, ts DateTime NOT NULL) " + WEEK)
    s.append([{"n": 1, "ts": "0000-01-03T00:00:00Z"}, {"n": 2, "ts": "0000-01-09T23:59:59Z"}])


@case
def last_year(s):
    s.schema("CREATE TABLE t (n Int8, ts DateTime64(3) NOT NULL) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY ts")
    s.append([{"n": 1, "ts": "9999-12-31T23:59:59.999Z"}, {"n": 2, "ts": "9999-12-01T00:00:00Z"}])


@case
def arrival_time(s):
    """No time in the schema: the hidden column _time."""
    s.append([{"b": "x", "a": 1}, {"a": 2, "later": [None]}, {"b": "y"}], stream="inferred")


@case
def text_time(s):
    """The time of a row is a text, and a number."""
    s.append([{"when": "2024-01-01 00:00:%02d" % i, "v": i} for i in range(5)], "--time", "when", stream="texts")


@case
def number_time(s):
    s.append([{"start_ns": 1704067200000000000 + i * 1234567890, "v": "s%d" % i} for i in range(5)],
             "--time", "start_ns", stream="numbers")


def tenant_case(name, value, kind="String"):
    def make(s):
        s.schema(f"CREATE TABLE t (who {kind}, ts DateTime NOT NULL) ENGINE = MergeTree "
                 "PARTITION BY (who, toMonday(ts)) ORDER BY ts")
        s.append([{"who": value, "ts": at(1)}, {"who": value, "ts": at(2)}])
    CASES["tenant-" + name] = make


tenant_case("dots", "..")
tenant_case("slash", "../../etc/passwd\n\u0000%")
tenant_case("empty", "")
tenant_case("emoji", "caf\u00e9 \U0001f600 \u202e")
tenant_case("long", "long " + "x" * 4000)
tenant_case("number", -5, "Int16")
tenant_case("uuid", "44BFFBF3-5530-4378-94F3-0C85DC719159", "UUID")
tenant_case("enum", "it's \\ \"one\"", "Enum('it\\'s \\\\ \"one\"' = -3)")


# ---- types -----------------------------------------------------------------------------------------

TEXTS = ["", " ", "plain", "quote \" backslash \\ slash /", "\u0000", "\u0001\u001f\u007f\u0080", "tab\tnl\ncr\r\b\f",
         "caf\u00e9 \u20ac \U0001f600", "\u2028\u2029\ufeff\uffff", "null", "x" * 300]


def integers(bits, sign):
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if sign else (0, (1 << bits) - 1)
    return [0, 1, low, high, low + 1, high - 1, high // 2, 7]


def type_rows(columns):
    """Rows that give every column each of its values and nulls between."""
    rows = []
    for i in range(2 * max(map(len, columns.values()))):
        row = ['"%s":%s' % (name, values[i % len(values)]) for name, values in columns.items()
               if (i + len(name)) % 5 or i < len(values)]
        rows.append("{%s,\"ts\":\"%s\"}" % (",".join(row), at(i)))
    return rows


def texts(values):
    return [json.dumps(v, ensure_ascii=i % 2 == 0) for i, v in enumerate(values)]


def columns_of_all_types():
    columns = {"b": ["true", "false"]}
    for bits in (8, 16, 32, 64):
        columns["i%d" % bits] = [str(v) for v in integers(bits, True)]
        columns["u%d" % bits] = [str(v) for v in integers(bits, False)]
    columns["f32"] = ["0", "-0", "0.1", "1e10", "3.4028235e38", "1e-45", "-1.5", "16777216"]
    columns["f64"] = ["0", "-0.0", "0.1", "1e22", "1e21", "1e20", "1.7976931348623157e308", "5e-324", "-2.2250738585072014e-308",
                      "9007199254740992", "0.000001", "1e-7", "123456789.123456789", "0.30000000000000004", "1e15"]
    columns["d92"] = ["0", "1.5", "-1.05", "9999999.99", "-9999999.99", "0.01"]
    columns["d184"] = ["0", "99999999999999.9999", "-99999999999999.9999", "0.0001", "1e3"]
    columns["d380"] = ["0", "99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", "-1"]
    columns["d3838"] = ["0", "0.00000000000000000000000000000000000001", "-0.5", "0.125"]
    columns["s"] = texts(TEXTS)
    columns["lc"] = texts(["a", "b", "a", ""])
    columns["fs"] = texts(["", "a", "abcde", "\u00e9\u00e9"])
    columns["u"] = texts(["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
                          "F47AC10B-58CC-4372-A567-0E02B2C3D479", "018d5f30-1c00-7abc-8def-0123456789ab"])
    columns["d"] = texts(["1970-01-01", "0000-01-01", "9999-12-31", "2024-02-29", "1900-03-01"])
    columns["dt"] = texts(["1970-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29 12:00:00",
                           "2024-01-01T02:00:00+02:00"])
    for digits in (0, 1, 3, 6, 9):
        fraction = "." + "123456789"[:digits] if digits else ""
        far = [] if digits == 9 else ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
        columns["t%d" % digits] = texts(["1969-12-31T23:59:59%sZ" % fraction, "2024-05-06T07:08:09%sZ" % fraction] + far)
    columns["e8"] = texts(["one", "minus", "\u00fcber", ""])
    columns["e16"] = texts(["low", "high"])
    columns["j"] = ['{"a": 1.0, "b" : [ ] }', "[1,2,3]", '"text"', "1e400", "true", "12345678901234567890", '"\\u00e9\\ud83d\\ude00"',
                    '{"dup":1,"dup":2}', "[[[[[[[[[[1]]]]]]]]]]", '{"":{"":""}}']
    columns["v4"] = texts(["0.0.0.0", "255.255.255.255", "10.0.0.1"])
    columns["v6"] = texts(["::", "::1", "2001:db8::ff00:42:8329", "1:0:0:2::3", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"])
    return columns


@case
def all_types(s):
    s.schema("""CREATE TABLE types (b Bool, i8 Int8, u8 UInt8, i16 Int16, u16 UInt16, i32 Int32, u32 UInt32, i64 Int64, u64 UInt64,
  f32 Float32, f64 Float64, d92 Decimal(9, 2), d184 Decimal(18, 4), d380 Decimal(38, 0), d3838 Decimal(38, 38),
  s String, lc LowCardinality(String), fs FixedString(5), u UUID, d Date, dt DateTime,
  t0 DateTime64(0), t1 DateTime64(1), t3 DateTime64(3), t6 DateTime64(6), t9 DateTime64(9),
  e8 Enum8('one' = 1, 'minus' = -128, 'über' = 127, '' = 0), e16 Enum16('low' = -32768, 'high' = 32767),
  j JSON, v4 IPv4, v6 IPv6, never Nullable(UInt64), ts DateTime NOT NULL) """ + WEEK)
    s.append(type_rows(columns_of_all_types()))
    s.append(['{"ts":"%s"}' % at(200)])


@case
def postgres_types(s):
    s.schema('''CREATE TABLE IF NOT EXISTS "Events" (
  "id" bigserial PRIMARY KEY, "Quoted ""Name""" text, small smallint NOT NULL DEFAULT 3, whole integer, big bigint, r real,
  dp double precision, n numeric(12, 3), flag boolean DEFAULT true, vc varchar(40), c char(4), u uuid DEFAULT gen_random_uuid(),
  day date, ts timestamptz(3) NOT NULL, plain timestamp without time zone, j json, jb jsonb NOT NULL DEFAULT '{}'::jsonb,
  tags text[], grid integer[][], ip inet, CHECK (small > 0)
) PARTITION BY RANGE (ts);''')
    s.append([{"Quoted \"Name\"": "q%d" % i, "whole": -i, "big": 1 << 40 + i, "r": i / 4, "dp": i / 3, "n": i + 0.125, "vc": "v",
               "c": "cc", "u": "00000000-0000-4000-8000-%012d" % i, "day": "2024-01-0%d" % (1 + i),
               "ts": "2024-01-02T03:04:05.%03d+00" % i, "plain": "2024-01-02 03:04:05.123456", "j": {"a": [i, None]},
               "jb": [i], "tags": ["x", "y", ""][:i], "grid": [[1, 2], [], [i]], "ip": "10.0.0.%d" % i}
              for i in range(4)])
    s.append([{"ts": "2024-01-03T00:00:00.000Z", "flag": False, "u": "00000000-0000-4000-8000-0000000000ff"}])


@case
def nested(s):
    s.schema("""CREATE TABLE n (a Array(Int32), an Array(Nullable(String)), aa Array(Array(UInt8)), m Map(String, Int64),
  mn Map(String, Nullable(Float64)), ma Map(String, Array(String)), am Array(Map(String, Nullable(UUID))),
  mm Map(String, Map(String, Bool)), deep Array(Array(Array(Array(Array(Array(Array(Array(Int8)))))))), je Array(JSON),
  ft Array(DateTime64(3)), en Array(Enum('a' = 1, 'b' = 2)), ts DateTime NOT NULL) """ + WEEK)
    one = "00000000-0000-4000-8000-000000000001"
    s.append([
        {"a": [], "an": [], "aa": [], "m": {}, "mn": {}, "ma": {}, "am": [], "mm": {}, "deep": [], "je": [], "ts": at(0)},
        {"a": [1, -2, 3], "an": ["x", None, ""], "aa": [[], [1], [2, 3]], "m": {"k": 1, "": -2, "k2": 1 << 60},
         "mn": {"a": 0.5, "b": None}, "ma": {"l": ["p", "q"], "e": []}, "am": [{}, {"u": one, "n": None}],
         "mm": {"o": {"i": True, "j": False}, "e": {}}, "deep": [[[[[[[[1, 2], []]], []]]]]],
         "je": [{"x": 1}, [], "s", 1.5], "ft": ["2024-01-01T00:00:00.001Z"], "en": ["a", "b", "a"], "ts": at(1)},
        {"ts": at(2)},
        {"an": [None, None], "mn": {"only": None}, "ts": at(3)},
        {"a": list(range(1000)), "an": [None] * 50 + ["z"] * 50, "ts": at(4)}])


@case
def unknown_fields(s):
    s.schema("CREATE TABLE t (a Int32, ts DateTime NOT NULL) " + WEEK)
    s.append(['{"x":1,"a":1,"ts":"%s","y":{"deep": [1,  2.50, null]}}' % at(0), '{"a":2,"ts":"%s"}' % at(1),
              '{"":"empty name","ts":"%s","quo\\"te":"\\u00e9","a":null,"n":null}' % at(2),
              '{"A":1,"a.b":2,"ts":"%s","big":123456789012345678901234567890}' % at(3)])


@case
def null_columns(s):
    """Validity in both forms, and columns that are null in all rows but one."""
    s.schema("CREATE TABLE t (often Int32, seldom String, runs Float64, one UUID, ts DateTime NOT NULL) " + WEEK)
    r = random.Random(2)
    rows = []
    for i in range(500):
        row = {"ts": at(i)}
        if r.random() < .7:
            row["often"] = i
        if r.random() < .02:
            row["seldom"] = "s%d" % i
        if i // 100 % 2:
            row["runs"] = i / 2
        if i == 250:
            row["one"] = str(uuid.UUID(int=7))
        rows.append(row)
    s.append(rows)


# ---- encodings -------------------------------------------------------------------------------------


def walk(r, n, step):
    v, out = 0, []
    for _ in range(n):
        v += r.randrange(step)
        out.append(v)
    return out


def recent(r, n, fresh):
    """Values that come back soon after they were new."""
    seen = []
    for _ in range(n):
        if not seen or r.random() < .15:
            seen.append(fresh())
        yield seen[-1 - min(int(r.expovariate(.4)), len(seen) - 1)]


def encoded(s, columns, times=None):
    """Append the columns {name: (type, values)}."""
    n = len(next(iter(columns.values()))[1])
    s.schema("CREATE TABLE e (%s, ts DateTime NOT NULL) ENGINE = MergeTree PARTITION BY toMonday(ts)" %
             ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items()))
    s.append([dict({name: values[i] for name, (_, values) in columns.items()}, ts=at(i)) for i in range(n)])


@case
def encodings_int(s):
    r, n = random.Random(3), 600
    far = [r.getrandbits(63) for _ in range(12)]
    clock = walk(r, n, 2000)
    wild = [r.randrange(100) if r.random() < .97 else r.getrandbits(40) for _ in range(n)]
    fresh = (r.getrandbits(60) for _ in range(n))
    encoded(s, {
        "const": ("Int64", [-3] * n), "dict": ("Int64", [r.choice(far) for _ in range(n)]),
        "runs": ("Int32", [far[i // 60] & 0xFFFFFF for i in range(n)]), "packed": ("UInt16", [r.randrange(1000) for _ in range(n)]),
        "patched": ("Int64", wild), "delta": ("Int64", [1704067200000 + v for v in clock]),
        "delta2": ("Int64", [1704067200000 + 1000 * i + i * i // 7 for i in range(n)]),
        "down": ("Int32", [-v for v in clock]), "scaled": ("Int64", [r.randrange(500) * 86400 - 7 for _ in range(n)]),
        "planes": ("UInt64", [(r.choice(far) >> 40 << 40 | r.getrandbits(16)) for _ in range(n)]),
        "recent": ("Int64", list(recent(r, n, lambda: next(fresh)))),
        "blocks": ("UInt32", [r.getrandbits(1 + 7 * (i // 128)) for i in range(n)]),
        "plain8": ("Int8", [r.randrange(-128, 128) for _ in range(n)]),
        "plain64": ("UInt64", [r.getrandbits(64) for _ in range(n)]),
        "wave": ("Int16", [(i % 50) * 100 + r.randrange(3) for i in range(n)]),
    })


@case
def encodings_float(s):
    r, n = random.Random(4), 500
    def double():
        return struct.unpack("<d", struct.pack("<Q", r.getrandbits(52) | 0x4080000000000000 | r.getrandbits(1) << 63))[0]
    few = [double() for _ in range(9)]
    fresh = (double() for _ in range(n))
    encoded(s, {
        "decimal": ("Float64", [r.randrange(100000) / 100 for _ in range(n)]),
        "digits": ("Float64", [round(r.random() * 1000, i // 64 % 7) for i in range(n)]),
        "ulps": ("Float64", [r.randrange(5000) * 0.0000015 + r.randrange(300) * 0.000002 for _ in range(n)]),
        "exceptions": ("Float64", [r.choice([-0.0, 1e300, double()]) if i % 40 == 3 else r.randrange(900) / 10 for i in range(n)]),
        "noise": ("Float64", [double() for _ in range(n)]), "const": ("Float64", [few[0]] * n),
        "dict": ("Float64", [r.choice(few) for _ in range(n)]), "runs": ("Float64", [few[i // 60] for i in range(n)]),
        "recent": ("Float64", list(recent(r, n, lambda: next(fresh)))),
        "whole": ("Float64", [float(r.randrange(10 ** 6)) for _ in range(n)]),
        "f32": ("Float32", [r.randrange(1000) / 8 for _ in range(n)]), "f32d": ("Float32", [r.randrange(1000) / 100 for _ in range(n)]),
        "f32n": ("Float32", [float(float_text(r.getrandbits(23) | 0x3F800000, 4)) for _ in range(n)]),
    })


@case
def encodings_fixed(s):
    r, n = random.Random(5), 300
    def four():
        return str(uuid.UUID(int=r.getrandbits(128), version=4))
    def seven(i):
        time = 1704067200000 + i * 37
        return str(uuid.UUID(int=time << 80 | 7 << 76 | r.getrandbits(12) << 64 | 2 << 62 | r.getrandbits(62)))
    few, fresh = [four() for _ in range(7)], (four() for _ in range(n))
    encoded(s, {
        "v4": ("UUID", [four() for _ in range(n)]), "v7": ("UUID", [seven(i) for i in range(n)]),
        "dict": ("UUID", [r.choice(few) for _ in range(n)]), "const": ("UUID", few[:1] * n),
        "recent": ("UUID", list(recent(r, n, lambda: next(fresh)))),
        "mixed": ("UUID", [str(uuid.UUID(int=r.getrandbits(128))) for _ in range(n)]),
        "v6": ("IPv6", ["2001:db8::%x:%x" % (1 + r.randrange(4), 1 + r.randrange(65535)) for _ in range(n)]),
        "fs": ("FixedString(6)", ["%06d" % r.randrange(10 ** 6) for _ in range(n)]),
        "wide": ("Decimal(30, 2)", [i * 12345678901234567 for i in range(n)]),
    })


@case
def encodings_text(s):
    r, n = random.Random(6), 300
    def four():
        return str(uuid.UUID(int=r.getrandbits(128), version=4))
    words = "alpha beta gamma delta epsilon zeta eta theta".split()
    few = ["the text number %d of a few" % i for i in range(9)]
    def stamp(separator, digits, suffix):
        return ["2024-01-%02d%s%02d:%02d:%02d%s%s" % (1 + i // 24 % 28, separator, i % 24, r.randrange(60), r.randrange(60),
                "." + "%0*d" % (digits, r.randrange(10 ** digits)) if digits else "", suffix) for i in range(n)]
    encoded(s, {
        "plain": ("String", [" ".join(r.choice(words) for _ in range(r.randrange(6))) for _ in range(n)]),
        "const": ("String", ["always the same"] * n), "dict": ("String", [r.choice(few) for _ in range(n)]),
        "uuids": ("String", [four() for _ in range(n)]), "hex": ("String", ["%032x" % r.getrandbits(128) for _ in range(n)]),
        "hexes": ("String", ["%0*x" % (2 * r.randrange(1, 9), r.getrandbits(8)) for _ in range(n)]),
        "ints": ("String", [str(r.randrange(-10 ** 9, 10 ** 12)) for _ in range(n)]),
        "iso": ("String", stamp("T", 3, "Z")), "space": ("String", stamp(" ", 0, "")), "zone": ("String", stamp("T", 6, "+00:00")),
        "dates": ("String", ["2024-%02d-%02d" % (1 + r.randrange(12), 1 + r.randrange(28)) for _ in range(n)]),
        "affix": ("String", ["req_%016x.json" % r.getrandbits(64) for _ in range(n)]),
        "json": ("JSON", [{"n": r.randrange(100), "w": r.choice(words)} for _ in range(n)]),
    })


@case
def encodings_recent(s):
    """Ids that come back soon after they were new, in so many rows that counting back pays."""
    r, n = random.Random(8), 2000
    fresh = (str(uuid.UUID(int=r.getrandbits(128), version=4)) for _ in range(n))
    far = (r.getrandbits(60) for _ in range(n))
    encoded(s, {"task": ("UUID", list(recent(r, n, lambda: next(fresh)))), "n": ("Int64", list(recent(r, n, lambda: next(far))))})


@case
def encodings_small(s):
    """The same columns in small packed groups: one, two, three and 40 rows."""
    s.schema("CREATE TABLE e (i Int64, j UInt8, f Float64, g Float32, s String, u UUID, t DateTime64(9), l Array(Int16), "
             "ts DateTime NOT NULL) ENGINE = MergeTree PARTITION BY toMonday(ts)")
    r = random.Random(7)
    for n in (1, 2, 3, 40):
        s.append([{"i": 10 ** 12 + 1000 * i, "j": r.randrange(256), "f": r.randrange(1000) / 10, "g": i / 4,
                   "s": r.choice(["on", "off"]), "u": str(uuid.UUID(int=r.getrandbits(128), version=4)),
                   "t": at(i, digits=9), "l": [i] * (i % 3), "ts": at(i)} for i in range(n)])


# ---- corpus/crash ----------------------------------------------------------------------------------


def crash_files(bindir):
    """Tails as a crash or a later cut leaves them, from three-commits: NAME.ndjson is what must come out."""
    with open(os.path.join(CORPUS, "good", "three-commits.evs"), "rb") as f:
        data = f.read()
    starts = [i for i in range(0, len(data), 8) if data[i:i + 5] == b"\x89EVS\x02"]
    commits = [i for i in range(0, len(data), 8) if data[i:i + 5] == b"\x89EVS\x03"]
    last, commit = starts[-1], commits[-1]
    size = commit - last
    yield "cut-in-group-head", data[:last + 17]
    yield "cut-in-group", data[:last + 60]
    yield "cut-behind-group", data[:commit]
    yield "cut-in-commit", data[:commit + 100]
    yield "cut-before-trailers", data[:-128]
    yield "cut-in-first-trailer", data[:-100]
    yield "cut-behind-first-trailer", data[:-64]
    yield "cut-in-second-trailer", data[:-3]
    yield "group-is-zero", data[:last] + bytes(size) + data[commit:]
    yield "commit-is-zero", data[:commit] + bytes(len(data) - commit)
    yield "commit-without-trailers", data[:-128] + bytes(128)
    yield "only-trailers", data[:last] + bytes(len(data) - last - 128) + data[-128:]
    yield "append-is-zero", data[:last] + bytes(len(data) - last)
    yield "foreign-bytes-behind", data + b"left over" * 5


def main():
    bindir = os.path.abspath(sys.argv[1])
    good = os.path.join(CORPUS, "good")
    for name in sys.argv[2:] or CASES:
        target = os.path.join(good, name + ".evs")
        if os.path.exists(target) or name not in CASES:
            continue
        with tempfile.TemporaryDirectory() as folder:
            s = Store(bindir, folder)
            CASES[name](s)
            shutil.copyfile(s.only(), target)
        with open(target[:-4] + ".ndjson", "wb") as f:
            f.write(subprocess.run([os.path.join(bindir, "evcat"), target], capture_output=True, check=True).stdout)
        print(f"{os.path.getsize(target):8} {name}")
    if not sys.argv[2:]:
        for name, data in crash_files(bindir):
            target = os.path.join(CORPUS, "crash", name + ".evs")
            if os.path.exists(target):
                continue
            with open(target, "wb") as f:
                f.write(data)
            with open(target[:-4] + ".ndjson", "wb") as f:
                done = subprocess.run([os.path.join(bindir, "evcat"), target], capture_output=True)
                f.write(done.stdout)
            print(f"{len(data):8} crash/{name}: {done.returncode}")


if __name__ == "__main__":
    main()
