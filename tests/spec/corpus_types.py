"""Golden files for make_corpus.py: every type of spec/schema.md, "
  "with nulls and the values at its edges."""

import json
import random
import uuid

from corpus_store import WEEK, at, case

# ---- types --------------------------------------------------------------------------------------

TEXTS = ["", " ", "plain", "quote \" backslash \\ slash /", "\u0000", "\u0001\u001f\u007f\u0080",
         "tab\tnl\ncr\r\b\f",
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
    columns["f64"] = ["0", "-0.0", "0.1", "1e22", "1e21", "1e20", "1.7976931348623157e308",
                      "5e-324", "-2.2250738585072014e-308",
                      "9007199254740992", "0.000001", "1e-7", "123456789.123456789",
                      "0.30000000000000004", "1e15"]
    columns["d92"] = ["0", "1.5", "-1.05", "9999999.99", "-9999999.99", "0.01"]
    columns["d184"] = ["0", "99999999999999.9999", "-99999999999999.9999", "0.0001", "1e3"]
    columns["d380"] = ["0", "99999999999999999999999999999999999999",
                       "-99999999999999999999999999999999999999", "-1"]
    columns["d3838"] = ["0", "0.00000000000000000000000000000000000001", "-0.5", "0.125"]
    columns["s"] = texts(TEXTS)
    columns["lc"] = texts(["a", "b", "a", ""])
    columns["fs"] = texts(["", "a", "abcde", "\u00e9\u00e9"])
    columns["u"] = texts(["00000000-0000-0000-0000-000000000000",
                          "ffffffff-ffff-ffff-ffff-ffffffffffff",
                          "F47AC10B-58CC-4372-A567-0E02B2C3D479",
                          "018d5f30-1c00-7abc-8def-0123456789ab"])
    columns["d"] = texts(["1970-01-01", "0000-01-01", "9999-12-31", "2024-02-29", "1900-03-01"])
    columns["dt"] = texts(["1970-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
                           "2024-02-29 12:00:00", "2024-01-01T02:00:00+02:00"])
    for digits in (0, 1, 3, 6, 9):
        fraction = "." + "123456789"[:digits] if digits else ""
        far = [] if digits == 9 else ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]
        columns["t%d" % digits] = texts(["1969-12-31T23:59:59%sZ" % fraction,
                                         "2024-05-06T07:08:09%sZ" % fraction] + far)
    columns["e8"] = texts(["one", "minus", "\u00fcber", ""])
    columns["e16"] = texts(["low", "high"])
    columns["j"] = ['{"a": 1.0, "b" : [ ] }', "[1,2,3]", '"text"', "1e400", "true",
                    "12345678901234567890", '"\\u00e9\\ud83d\\ude00"',
                    '{"dup":1,"dup":2}', "[[[[[[[[[[1]]]]]]]]]]", '{"":{"":""}}']
    columns["v4"] = texts(["0.0.0.0", "255.255.255.255", "10.0.0.1"])
    columns["v6"] = texts(["::", "::1", "2001:db8::ff00:42:8329", "1:0:0:2::3",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"])
    return columns


@case
def all_types(s):
    s.schema("""CREATE TABLE types (b Bool, i8 Int8, u8 UInt8, i16 Int16, u16 UInt16, i32 Int32,
  u32 UInt32, i64 Int64, u64 UInt64,
  f32 Float32, f64 Float64, d92 Decimal(9, 2), d184 Decimal(18, 4), d380 Decimal(38, 0),
  d3838 Decimal(38, 38),
  s String, lc LowCardinality(String), fs FixedString(5), u UUID, d Date, dt DateTime,
  t0 DateTime64(0), t1 DateTime64(1), t3 DateTime64(3), t6 DateTime64(6), t9 DateTime64(9),
  e8 Enum8('one' = 1, 'minus' = -128, 'über' = 127, '' = 0), e16 Enum16('low' = -32768,
  'high' = 32767),
  j JSON, v4 IPv4, v6 IPv6, never Nullable(UInt64), ts DateTime NOT NULL) """ + WEEK)
    s.append(type_rows(columns_of_all_types()))
    s.append(['{"ts":"%s"}' % at(200)])


@case
def postgres_types(s):
    s.schema('''CREATE TABLE IF NOT EXISTS "Events" (
  "id" bigserial PRIMARY KEY, "Quoted ""Name""" text, small smallint NOT NULL DEFAULT 3,
  whole integer, big bigint, r real,
  dp double precision, n numeric(12, 3), flag boolean DEFAULT true, vc varchar(40), c char(4),
  u uuid DEFAULT gen_random_uuid(), day date, ts timestamptz(3) NOT NULL,
  plain timestamp without time zone, j json, jb jsonb NOT NULL DEFAULT '{}'::jsonb,
  tags text[], grid integer[][], ip inet, CHECK (small > 0)
) PARTITION BY RANGE (ts);''')
    s.append([{"Quoted \"Name\"": "q%d" % i, "whole": -i, "big": 1 << 40 + i, "r": i / 4,
               "dp": i / 3, "n": i + 0.125, "vc": "v",
               "c": "cc", "u": "00000000-0000-4000-8000-%012d" % i, "day": "2024-01-0%d" % (1 + i),
               "ts": "2024-01-02T03:04:05.%03d+00" % i, "plain": "2024-01-02 03:04:05.123456",
               "j": {"a": [i, None]},
               "jb": [i], "tags": ["x", "y", ""][:i], "grid": [[1, 2], [], [i]],
               "ip": "10.0.0.%d" % i}
              for i in range(4)])
    s.append([{"ts": "2024-01-03T00:00:00.000Z", "flag": False,
               "u": "00000000-0000-4000-8000-0000000000ff"}])


@case
def nested(s):
    s.schema("""CREATE TABLE n (a Array(Int32), an Array(Nullable(String)),
  aa Array(Array(UInt8)), m Map(String, Int64),
  mn Map(String, Nullable(Float64)), ma Map(String, Array(String)),
  am Array(Map(String, Nullable(UUID))), mm Map(String, Map(String, Bool)),
  deep Array(Array(Array(Array(Array(Array(Array(Array(Int8)))))))), je Array(JSON),
  ft Array(DateTime64(3)), en Array(Enum('a' = 1, 'b' = 2)), ts DateTime NOT NULL) """ + WEEK)
    one = "00000000-0000-4000-8000-000000000001"
    s.append([
        {"a": [], "an": [], "aa": [], "m": {}, "mn": {}, "ma": {}, "am": [], "mm": {}, "deep": [],
         "je": [], "ts": at(0)},
        {"a": [1, -2, 3], "an": ["x", None, ""], "aa": [[], [1], [2, 3]],
         "m": {"k": 1, "": -2, "k2": 1 << 60},
         "mn": {"a": 0.5, "b": None}, "ma": {"l": ["p", "q"], "e": []},
         "am": [{}, {"u": one, "n": None}],
         "mm": {"o": {"i": True, "j": False}, "e": {}}, "deep": [[[[[[[[1, 2], []]], []]]]]],
         "je": [{"x": 1}, [], "s", 1.5], "ft": ["2024-01-01T00:00:00.001Z"], "en": ["a", "b", "a"],
         "ts": at(1)},
        {"ts": at(2)},
        {"an": [None, None], "mn": {"only": None}, "ts": at(3)},
        {"a": list(range(1000)), "an": [None] * 50 + ["z"] * 50, "ts": at(4)}])


@case
def unknown_fields(s):
    s.schema("CREATE TABLE t (a Int32, ts DateTime NOT NULL) " + WEEK)
    s.append(['{"x":1,"a":1,"ts":"%s","y":{"deep": [1,  2.50, null]}}' % at(0),
              '{"a":2,"ts":"%s"}' % at(1),
              '{"":"empty name","ts":"%s","quo\\"te":"\\u00e9","a":null,"n":null}' % at(2),
              '{"A":1,"a.b":2,"ts":"%s","big":123456789012345678901234567890}' % at(3)])


@case
def null_columns(s):
    """Validity in both forms, and columns that are null in all rows but one."""
    s.schema("CREATE TABLE t (often Int32, seldom String, runs Float64, one UUID, "
             "ts DateTime NOT NULL) " + WEEK)
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
