#!/usr/bin/env python3
"""Values survive: each comes back as it went in, or is rejected with a reason.

usage: values.py [--quick]

Every value is tried in a declared column of every type, in a field the schema does not know, and in a
stream without a schema; then lines, keys, times, tenants and sizes. judge.py says what must happen.
"""

import argparse
import json
import random
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import evtools
import judge
from evtools import Scratch, Tally

AT = '"at":"2025-01-06T10:00:00.000Z"'

COLUMNS = """
    i8 Nullable(Int8), i16 Nullable(Int16), i32 Nullable(Int32), i64 Nullable(Int64),
    u8 Nullable(UInt8), u16 Nullable(UInt16), u32 Nullable(UInt32), u64 Nullable(UInt64),
    f32 Nullable(Float32), f64 Nullable(Float64), s Nullable(String), lc LowCardinality(Nullable(String)),
    j Nullable(JSON), b Nullable(Bool), uu Nullable(UUID), en Nullable(Enum('a' = 1, '' = 2, 'x.y' = -3)),
    d Nullable(Date), t0 Nullable(DateTime), t3 Nullable(DateTime64(3)), t6 Nullable(DateTime64(6)),
    t9 Nullable(DateTime64(9)), ai Array(Int64), asn Array(Nullable(String)), ms Map(String, String),
    mi Map(String, Nullable(Int64)), aa Array(Array(Float64)), d9 Nullable(Decimal(9, 2)), d38 Nullable(Decimal(38, 10)),
    fs Nullable(FixedString(16)), i4 Nullable(IPv4), i6 Nullable(IPv6)"""
EMPTY = '"ai":[],"asn":[],"ms":{},"mi":{},"aa":[]'

NUMBERS = """0 -0 0.0 -0.0 1 -1 127 128 -128 -129 255 256 32767 32768 65535 65536 2147483647 2147483648 -2147483648
-2147483649 4294967295 4294967296 9007199254740991 9007199254740992 9007199254740993 -9007199254740993
9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615
18446744073709551616 123456789012345678901234567890 0.1 0.2 0.30000000000000004 1.5 1.0 1e0 1e3 1E+3 1e-3 100e-2
1.7976931348623157e308 1.7976931348623159e308 2e308 1e400 -1e400 5e-324 2e-324 1e-400 2.2250738585072014e-308
2.225073858507201e-308 0.0012345000000000001 3.141592653589793 2.718281828459045 1.2345678901234567
0.1234567890123456789012345678901234567890 9007199254740993.0 1e22 1e23 123456789012345680000 4.35 0.000001
1e-7 16777216 16777217 3.4028234663852886e38 3.5e38 1e-45 1e-46 0.1000000014901161 36.80 100.00
0e5 0.000 -0e-9 1e5000 1e-5000 1000000000000000000000e-21 179769313486231570814527423731704356798070e267""".split(
)

NOT_NUMBERS = """01 1. .5 +1 -  1e 1e+ 0x10 1_000 NaN Infinity -Infinity nan --1 1.e5 ٣""".split()

STRINGS = [
    '""', '" "', '"a"', '"x.y"', '"null"', '"true"', '"0"', '"-0"', '"1e400"', r'"\u0000"',
           r'"a\u0000b"', r'"\u0001\u001f"',
    '"\x7f"', r'"\b\f\n\r\t\/\\\""', r'"\u2028\u2029"', '"\u2028\u2029"', '"\U0001f600"',
           r'"\ud83d\ude00"', r'"\uD83D\uDE00"',
    r'"\ud83d"', r'"\ude00"', r'"\ude00\ud83d"', r'"\ud83d\ud83d\ude00"', r'"\ud83dx"', '"\uffff"',
           '"\U0010ffff"', '"e\u0301"', '"\u00e9"',
    '"\u202e\u200b\ufeff"', '"K\u00f8benhavn"', r'"K\u00f8benhavn"', r'"\u0041"',
           '"' + "x" * 300 + '"', '"' + "\u00e9" * 5000 + '"',
    '"' + r"\u00e9" * 5000 + '"', '"' + "\\" * 600 + '"', '"{\\"a\\":1}"', '"2025-01-01"',
           '"not-a-time"',
    '"a7f2ce9c-714c-4434-8b0d-a107003c5d32"', '"A7F2CE9C-714C-4434-8B0D-A107003C5D32"',
           '"a7f2ce9c714c44348b0da107003c5d32"',
    '"{a7f2ce9c-714c-4434-8b0d-a107003c5d32}"', '"00000000-0000-0000-0000-000000000000"',
           '"a7f2ce9c-714c-4434-8b0d-a107003c5d3g"',
    r'"\u00617f2ce9c-714c-4434-8b0d-a107003c5d32"', '"127.0.0.1"', '"::1"', '"0123456789abcdef"',
           '"0123456789ABCDEF"', '"00"', '"1.50"',
]

BAD_STRINGS = ['"', '"a', r'"\x41"', r'"\u12"', r'"\u12g4"', r'"\U00000041"', "'a'", '"a\tb"',
               '"a\x01b"', '"a\x00b"', '"a""b"', r'"\"']
BAD_BYTES = [b'"\xff"', b'"\xc0\xaf"', b'"\xc1\xbf"', b'"\xed\xa0\x80"', b'"\xed\xbf\xbf"',
             b'"\xf4\x90\x80\x80"', b'"\xf5\x80\x80\x80"',
             b'"\xe2\x82"', b'"\x80"', b'"abc\xe9"', b'"\xf0\x80\x80\x80"', b'"\xe0\x80\x80"',
             b'"' + b"y" * 100 + b'\xfe"']

TIMES = [
    '"%s"' % t for t in
    """2025-01-06 2025-01-06T10:00 2025-01-06T10:00:00 2025-01-06T10:00:00Z 2025-01-06t10:00:00z
2025-01-06T10:00:00.1Z 2025-01-06T10:00:00.12Z 2025-01-06T10:00:00.123Z 2025-01-06T10:00:00.1234Z 2025-01-06T10:00:00.12345Z
2025-01-06T10:00:00.123456Z 2025-01-06T10:00:00.1234567Z 2025-01-06T10:00:00.12345678Z 2025-01-06T10:00:00.123456789Z
2025-01-06T10:00:00.1234567890Z 2025-01-06T10:00:00.1234567891Z 2025-01-06T10:00:00.000Z 2025-01-06T10:00:00.999999999Z
2025-01-06T10:00:00.999Z 2025-01-06T10:00:00+00:00 2025-01-06T10:00:00-00:00 2025-01-06T10:00:00+02:00 2025-01-06T10:00:00.5-08:30
2025-01-06T10:00:00+0530 2025-01-06T10:00:00+05 2025-01-06T23:59:59.999999+14:00 2025-01-01T00:00:00.000000001-12:00 2024-02-29T12:00:00Z 2023-02-29T12:00:00Z
2025-02-30 2025-13-01 2025-00-01 2025-01-00 2025-01-32 2025-1-6 2025-01-06T24:00:00Z 2025-01-06T23:60:00Z 2025-01-06T23:59:60Z
2025-01-06T10:00:00. 2025-01-06T10:00:00,5Z 2025-01-06T10:00:00+24:00 2025-01-06T10:00:00+0:00 2025-01-06T10:00:00ZZ 2025-01-06T
2025-01-06T10 1970-01-01T00:00:00Z 1969-12-31T23:59:59.999Z 1969-12-31T23:59:59.999999999Z 0000-01-01T00:00:00Z 0001-01-01 1582-10-10 1900-02-28
9999-12-31T23:59:59.999Z 9999-12-31T23:59:59.999-01:00 0000-01-01T00:00:00+01:00 1677-09-21T00:12:43.145224193Z 1677-09-21T00:12:43.145224191Z
2262-04-11T23:47:16.854775807Z 2262-04-11T23:47:16.854775808Z 10000-01-01T00:00:00Z -001-01-01T00:00:00Z 20250106 20250106T100000Z
2025-W02-1 1736157600 now""".split()
] + [
    '"2025-01-06 10:00:00"', '"2025-01-06 10:00:00.25+01:00"', '" 2025-01-06"', '"2025-01-06 "',
    r'"2025\u002d01-06T10:00:00Z"', '1736157600', '1736157600.5', '""'
]

NESTED = ["[]", "{}", "[[]]", "[null]", "[1,2,3]", "[1,null]", '["a",null]', '["a","b"]', "[1.5]",
          "[[1.5,2],[],[0]]", "[[1],[null]]",
          '{"a":"b"}', '{"a":1}', '{"a":null}', '{"":""}', '{"a":"1","a":"2"}',
          r'{"a":"1","\u0061":"2"}', '{"a":{"b":[1,{"c":null}]}}',
          '[ 1 , 2 ]', '{ "a" : "b" , "c" : "d" }', '{"\u00e9":"\U0001f600"}',
          r'{"\u0000":"\u0000"}', '{"z":1,"a":2}', "[9007199254740993]",
          "[18446744073709551615]", "[1e400]", '[0.1,1]', "[true,false]", '[{"a":1},{"a":2}]',
          '["2025-01-06T10:00:00Z"]', '{"a":[]}',
          '{"k":1.0,"l":1e2,"m":-0.0,"n":100000000000000000000000000000000}',
          '{"' + "k" * 300 + '":"v"}', r'["\ud83d"]', r'{"\ud83d":"x"}']
BAD_NESTED = ["[", "{", "[1,]", "[,1]", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "[1 2]",
              '{"a":1 "b":2}', "[1}", '{"a":1]', "[1]]", '{"a"::1}',
              "[nul]", "[undefined]", '[1,/**/2]', "{1:2}", "[\x0b1]", "[\xa01]"]
WORDS = ["null", "true", "false"]
BAD_WORDS = ["nul", "tru", "True", "NULL", "nullx", "truefalse", "undefined", "", "None"]

VALUES = [v.encode() for v in NUMBERS + NOT_NUMBERS + STRINGS + BAD_STRINGS + TIMES + NESTED +
          BAD_NESTED + WORDS + BAD_WORDS] + BAD_BYTES


def get_rejects(stream):
    """Line number to record."""
    path = stream / "rejects.ndjson"
    return {r["line"]: r for r in map(json.loads,
                                      path.read_bytes().splitlines())} if path.exists() else {}


def expect(raw, table):
    """('bad', why), or ('row', what must come back)."""
    kind, fields = judge.read_line(raw)
    if kind != "row" or table is None:
        return kind, fields
    try:
        return "row", judge.row(fields, table)
    except judge.Misfit as e:
        return "bad", str(e)


def shown(raw):
    return repr(raw if len(raw) < 160 else raw[:60] + b"..." + raw[-80:])


def try_lines(tally, name, stream, lines, table, bytes_of=None):
    """Feed lines; those that fit carry a number "n" by which their rows are found again.

    bytes_of(i): text that must be in the row of line i as it was, byte for byte.
    """
    data = b"".join(line + b"\n" for line in lines)
    ran = evtools.append(stream, data=data)
    account = ran.account()
    if not tally.check(name + ": account", account is not None,
                       "exit %d %s" % (ran.status, ran.err[-300:])):
        return
    if table is not None:
        table = judge.tables((stream / "schema.sql").read_text())[stream.name]
    rejects = get_rejects(stream)
    out = evtools.cat(stream)
    tally.check(name + ": evcat", out.status == 0, "exit %d %s" % (out.status, out.err[-300:]))
    rows = {}
    for raw in out.out.splitlines():
        kind, fields = judge.read_line(raw)
        if not tally.check(name + ": prints JSON", kind == "row", raw[:200]):
            return
        rows[fields["n"]] = raw
    want = [expect(line, table) for line in lines]
    for i, (line, (kind, row)) in enumerate(zip(lines, want)):
        if kind == "blank":
            tally.check("%s: %s is no row" % (name, shown(line)),
                        i + 1 not in rejects and i not in rows)
        elif kind == "bad":
            tally.check("%s: %s is rejected (%s)" % (name, shown(line), row),
                        i not in rows and i + 1 in rejects,
                        rows.get(i, b"lost")[:300])
            tally.check("%s: %s is rejected with a reason" % (name, shown(line)),
                        rejects.get(i + 1, {}).get("reason", "") != "")
        elif i not in rows:
            tally.check("%s: %s comes back" % (name, shown(line)), False,
                        rejects.get(i + 1, {}).get("reason", "lost"))
        else:
            got = expect(rows[i], table)
            tally.check("%s: %s comes back the same" % (name, shown(line)),
                        got[0] == "row" and judge.row_text(got[1]) == judge.row_text(row),
                        rows[i][-300:])
            if bytes_of and bytes_of(i):
                tally.check("%s: %s byte for byte" % (name, shown(line)), bytes_of(i) in rows[i],
                            rows[i][-300:])
    bad = sum(k == "bad" for k, _ in want)
    good = sum(k == "row" for k, _ in want)
    tally.equal(name + ": account balances", [account[k]
                                              for k in ("in", "stored", "duplicate", "rejected")],
                [good + bad, good, 0, bad])
    tally.equal(name + ": exit status", ran.status, 1 if bad else 0)


def make_stream(store, name, columns, rest="PARTITION BY toMonday(at) ORDER BY n"):
    ddl = "CREATE TABLE %s (n Int64, at DateTime64(3)%s) ENGINE = MergeTree %s;" % (
        name, "," + columns if columns else "", rest)
    made = evtools.run([evtools.tool("evschema"), "-q", "apply", store, "-"], data=ddl.encode())
    assert made.status == 0, made.err
    return store / name


def declared_columns(tally, tmp):
    stream = make_stream(tmp / "store", "declared", COLUMNS)
    table = judge.tables((stream / "schema.sql").read_text())["declared"]
    for name, column in table.columns.items():
        if name in ("n", "at"):
            continue
        # An emptied container beside the one that is tried would come twice.
        others = ",".join(x for x in EMPTY.split(",") if not x.startswith('"%s"' % name))
        lines = [b'{"n":%d,%s,%s,"%s":%s}' % (i, AT.encode(), others.encode(), name.encode(), v)
                 for i, v in enumerate(VALUES)]
        part = make_stream(tmp / name, "declared", COLUMNS)
        try_lines(tally, "%s %s" % (name, column.type.name), part, lines, table,
                  (lambda i: b'"j":' + VALUES[i] if VALUES[i] != b"null" else None)
                  if name == "j" else None)


def not_null_and_arrays(tally, tmp):
    stream = make_stream(tmp / "store", "strict", "s String, i Int64")
    lines = [b'{"n":0,%s,"s":"x","i":1}', b'{"n":1,%s,"s":null,"i":1}', b'{"n":2,%s,"i":1}',
             b'{"n":3,%s,"s":"x","i":null}',
             b'{"n":4,%s,"s":"","i":-0}', b'{"n":5,"at":null,"s":"","i":1}',
             b'{"n":6,"s":"","i":1}', b'{"n":7,"at":7,"s":"","i":1}']
    try_lines(tally, "NOT NULL", stream, [x.replace(b"%s", AT.encode()) for x in lines], True)


def unknown_fields(tally, tmp):
    stream = make_stream(tmp / "store", "unknown", "")
    keys = [b'"a"', b'"a.b"', b'"a\\"b"', b'"\\\\"', b'""', b'" "', b'"_extra"', b'"_time"',
            b'"N"', b'"AT"', b'"\\u0000"', b'"\\n"', '"\u00e9"'.encode(),
            b'"\\ud83d"', b'"$"', b'"a/b"', b'"' + b"k" * 4000 + b'"']
    lines = [b'{"n":%d,%s,"x":%s}' % (i, AT.encode(), v) for i, v in enumerate(VALUES)]
    try_lines(tally, "unknown field", stream, lines, True, lambda i: b'"x":' + VALUES[i])
    stream = make_stream(tmp / "store", "unknown_keys", "")
    lines = [b'{"n":%d,%s,%s:1}' % (i, AT.encode(), k) for i, k in enumerate(keys)]
    lines += [b'{%s:{"n":5},"n":%d,%s}' % (k, i + len(keys), AT.encode()) for i,
              k in enumerate(keys)]
    lines += [b'{"n":%d,%s,"p":1,"q":{"p":1},"p":2}' % (len(lines), AT.encode())]
    lines += [b'{"n":%d,%s,%s}' % (len(lines), AT.encode(),
                                   b",".join(b'"k%d":%d' % (k, k) for k in range(3000)))]
    lines += [b'{"n":%d,%s,%s,"k7":1}' % (len(lines), AT.encode(),
                                          b",".join(b'"k%d":%d' % (k, k) for k in range(3000)))]
    try_lines(tally, "unknown keys", stream, lines, True)


def inferred_alone(tally, tmp, values):
    for i, v in enumerate(values):
        stream = tmp / "alone" / ("v%d" % i)
        lines = [b'{"n":0,%s,"v":%s}' % (AT.encode(), v)]
        if expect(lines[0], None)[0] == "row":
            try_lines(tally, "inferred alone", stream, lines, None)


def inferred_mixed(tally, tmp, orders):
    """All values in one column, in several orders; each order meets other widenings."""
    for order in range(orders):
        rng = random.Random(order)
        values = [v for v in VALUES if rng.random() < (0.02, 0.1, 0.5, 1)[order % 4]]
        rng.shuffle(values)
        for name, args in (("one commit", []), ("commits of a row", ["--flush-rows", "1"])):
            stream = tmp / "mixed" / ("%d-%d" % (order, len(args)))
            lines = [b'{"n":%d,%s,"v":%s}' % (i, AT.encode(), v) for i, v in enumerate(values)]
            # The schema stands on the first rows; more of them are given, so that the others must widen it.
            head = [b'{"n":%d,%s,"v":%s,"fill":"%s"}' %
                    (-1 - i, AT.encode(), rng.choice((b"1", b'"x"', b"true", b"0.5",
                                                      b'"2025-01-06T10:00:00Z"')),
                                                       b"f" * 1000)
                    for i in range(9000 if order % 2 else 0)]
            data = b"\n".join(head + lines) + b"\n"
            ran = evtools.append(stream, *args, data=data)
            want = {i: expect(x, None) for i, x in enumerate(lines)}
            got = {}
            for raw in evtools.cat(stream).out.splitlines():
                fields = judge.read_line(raw)[1]
                if fields["n"] >= 0:
                    got[fields["n"]] = fields
            wrong = [lines[i] for i, (k, row) in want.items()
                     if (k == "row") != (i in got)
                     or (k == "row" and judge.row_text(row) != judge.row_text(got[i]))]
            tally.check("inferred, mixed, order %d, %s" % (order, name),
                        ran.status in (0, 1) and not wrong,
                        "exit %d; %d wrong: %s; %s" %
                        (ran.status, len(wrong), wrong[:4], ran.err[-300:]))


def whole_lines(tally, tmp):
    stream = make_stream(tmp / "store", "lines", "s Nullable(String), i Nullable(Int64)")
    at = AT.encode()
    lines = [b'{"n":0,%s}', b'', b'   ', b'\r', b'\t \r', b'{"n":5,%s}\r', b'  {"n":6,%s}  ',
             b'{"n":7,%s}\t\r', b'{"n":8,%s} x', b'{"n":9,%s}{"n":9}',
             b'[1,2,3]', b'1', b'"x"', b'null', b'true', b'{}', b'{"n":16}', b'{%s,"n":17}',
             b'{"i":1,"n":18,"s":"x",%s}',
             b'{"s":"x","i":1,%s,"n":19}', b'{"n":20,"n":20,%s}', b'{"n":21,"\\u006e":21,%s}',
             b'{"\\u006e":22,"\\u0061\\u0074":"2025-01-06T10:00:00Z"}',
             b'{"n":23,%s,"s":"x","s":null}', b'{"n":24,%s,"at":"2025-01-06"}',
             b'{ "n" : 25 , %s }', b'{"n":26,%s,}', b'{,"n":27,%s}', b'{"n" 28,%s}',
             b'{"n":29 %s}', b'{n:30,%s}', b'{"n":31,%s', b'"n":32,%s}',
             b'\xef\xbb\xbf{"n":33,%s}', b'{"n":34,%s}\x00', b'\x00', b'{"n":36,%s}\x0c',
             b'\xff\xfe{', b'{"N":38,"n":38,%s}', b'{"n":39,%s}#', b'//', b'{"n":41,"AT":1,%s}',
             b'{"n":42.0,%s}', b'{"n":4.3e1,%s}', b'{"n":"44",%s}',
             b'\xc2\xa0{"n":45,%s}', b'{"n":46,%s,"s":"\\u0000"}', b'{"n":47,%s,"":0}']
    try_lines(tally, "line", stream, [x.replace(b"%s", at) for x in lines], True)

    def ends(name, data, rows, rejected=0):
        s = make_stream(tmp / "store", name, "s Nullable(String)")
        ran = evtools.append(s, data=data)
        got = sorted(json.loads(x)["n"] for x in evtools.cat(s).out.splitlines())
        tally.equal(name, [got, ran.account()["rejected"], ran.status],
                    [rows, rejected, 1 if rejected else 0])
        t = tmp / "guess" / name
        ran = evtools.append(t, data=data)
        got = sorted(json.loads(x)["n"] for x in evtools.cat(t).out.splitlines()) if (
            t / "schema.sql").exists() else []
        account = ran.account()
        tally.equal(name + ", inferred", [got, account["in"], account["rejected"]],
                    [rows, len(rows) + rejected, rejected])

    one, two = b'{"n":1,%s}' % at, b'{"n":2,%s}' % at
    ends("no_final_newline", one + b"\n" + two, [1, 2])
    ends("byte_order_mark", b"\xef\xbb\xbf" + one + b"\n" + two + b"\n", [1, 2])
    ends("byte_order_mark_twice", b"\xef\xbb\xbf\xef\xbb\xbf" + one + b"\n" + two + b"\n", [2], 1)
    ends("crlf", one + b"\r\n\r\n" + two + b"\r\n", [1, 2])
    ends("cut_last_line", one + b"\n" + two[:-5], [1], 1)
    ends("only_newlines", b"\n\n\r\n \n" + one + b"\n\n", [1])
    ends("bad_lines_first", b"x\n{\n" + one + b"\n", [1], 2)
    ends("bad_lines_only", b"x\n{\n", [], 2)
    ends("form_feed", one + b"\x0c\n" + two + b"\n", [2], 1)


def times(tally, tmp):
    """The time that decides the partition, and the account of dropped digits."""
    stream = make_stream(tmp / "store", "times", "")
    lines = [b'{"n":%d,"at":%s}' % (i, t.encode()) for i, t in enumerate(TIMES)]
    try_lines(tally, "time of the row", stream, lines, True)
    for digits in (0, 3, 6, 9):
        s = make_stream(tmp / "store", "digits%d" % digits, "t Nullable(DateTime64(%d))" % digits)
        values = ["2025-01-06T10:00:00" + ("." + "123456789"[:k] if k else "") + "Z"
                  for k in range(10)]
        data = b"".join(b'{"n":%d,%s,"t":"%s"}\n' % (i, AT.encode(), v.encode()) for i,
                        v in enumerate(values))
        ran = evtools.append(s, data=data)
        tally.equal("times of %d digits: dropped are counted" % digits,
                    [ran.status, ran.account()["digits_dropped"]], [0, 9 - digits])
        s = make_stream(tmp / "store", "strict%d" % digits, "t Nullable(DateTime64(%d))" % digits)
        ran = evtools.append(s, "--strict", data=data)
        tally.equal("times of %d digits: --strict stops at the first" % digits,
                    [ran.status, ran.account()["stored"], ran.account()["digits_dropped"]],
                    [1 if digits < 9 else 0, digits + 1, 0])


def tenants(tally, tmp):
    stream = make_stream(tmp / "store", "tenants", "tenant String",
                         "PARTITION BY (tenant, toMonday(at)) ORDER BY n")
    names = ["", ".", "..", "...", "_", "__", "%", "%%", "%2E", "%5F", "/", "//",
             "../../etc/passwd", "a/b", "a\\b", "a b", "a\nb", "a\tb", "\x00", "a\x00b",
             "A", "a", "x.evs", "2025-01-06.evs", "schema.sql", "rejects.ndjson", ".hidden", "-rf",
             "~", "$HOME", "*", "?", "a" * 180, "a" * 220, "a" * 221,
             "a" * 255, "a" * 4096, "b" * 4097, "\u00e9", "e\u0301", "\U0001f600", "\u202e",
             "x" * 221 + "1", "x" * 221 + "2", "%~", "null", "nan", "x.tmp", "x.lock", "x.json"]
    lines = [b'{"n":%d,%s,"tenant":%s}' % (i, AT.encode(), json.dumps(t).encode()) for i,
             t in enumerate(names)]
    ran = evtools.append(stream, data=b"\n".join(lines) + b"\n")
    fits = {i: t for i, t in enumerate(names) if len(t.encode()) <= 4096}
    tally.equal("tenants: stored", ran.account()["stored"], len(fits))
    got = {r["n"]: r["tenant"] for r in map(json.loads, evtools.cat(stream).out.splitlines())}
    tally.check("tenants: come back", got == fits,
                {i: (t, got.get(i)) for i, t in fits.items() if got.get(i) != t})
    folders = [p for p in stream.iterdir() if p.is_dir()]
    tally.equal("tenants: a folder each", len(folders), len(set(fits.values())))
    tally.check("tenants: one segment in each",
                all([len(list(f.glob("*.evs"))) == 1 for f in folders]))
    tally.equal("tenants: nothing beside the stream",
                sorted(p.name for p in (tmp / "store").iterdir() if p.name.startswith((".", "e"))),
                [])
    for t in ("..", "", "a\nb", "\u00e9", "%"):
        out = evtools.cat("--tenant", t, stream)
        tally.equal("tenants: --tenant %r" % t,
                    [r["tenant"] for r in map(json.loads, out.out.splitlines())], [t])


def sizes(tally, tmp):
    at = AT.encode()
    big = b"x" * (7 << 20)
    nest = lambda n: b"[" * n + b"]" * n
    stream = make_stream(tmp / "store", "sizes", "s Nullable(String), j Nullable(JSON)")
    lines = [b'{"n":0,%s,"s":"%s"}' % (at, big), b'{"n":1,%s,"j":"%s"}' % (at, big),
             b'{"n":2,%s,"unknown":"%s"}' % (at, big),
             b'{"n":3,%s,"j":%s}' % (at, nest(300)), b'{"n":4,%s,"unknown":%s}' % (at, nest(300)),
             b'{"n":5,%s,"j":%s}' % (at, b'{"a":' * 300 + b"1" + b"}" * 300),
             b'{"n":6,%s,"s":"%s"}' % (at, b"\\u0041" * 1000000),
             b'{"n":7,%s,"j":[%s]}' % (at, b",".join(b"%d" % i for i in range(500000)))]
    try_lines(tally, "sizes", stream, lines, True)
    too_big = b'{"n":8,%s,"s":"%s"}' % (at, b"x" * (9 << 20))
    too_deep = b'{"n":9,%s,"j":%s}' % (at, nest(100000))
    after = b'{"n":10,%s}' % at
    ran = evtools.append(stream, data=too_big + b"\n" + too_deep + b"\n" + after)
    tally.equal("sizes: too long and too deep are rejected",
                [ran.status, ran.account()["stored"], ran.account()["rejected"]], [1, 1, 2])
    raws = [json.loads(x)["raw"].encode() for x in (stream / "rejects.ndjson").read_bytes(
        ).splitlines()]
    tally.check("sizes: and kept whole in the reject file", raws == [too_big, too_deep])
    for i, line in enumerate(lines):
        try_lines(tally, "sizes, inferred", tmp / "guess" / ("size%d" % i),
                  [line.replace(b'"n":%d' % i, b'"n":0', 1)], None)
    wide = b"{%s,%s}" % (at, b",".join(b'"c%d":%d' % (i, i) for i in range(5000)))
    try_lines(tally, "5,000 fields, inferred", tmp / "guess" / "wide",
              [b'{"n":0,' + wide[1:], b'{"n":1,' + wide[1:]], None)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", default=evtools.QUICK,
                   help="less of everything; the default in make check")
    args = p.parse_args()
    for name in ("evschema", "evappend", "evcat"):
        evtools.tool(name)
    tally = Tally()
    with Scratch("values", tally=tally) as tmp:
        declared_columns(tally, tmp)
        not_null_and_arrays(tally, tmp)
        unknown_fields(tally, tmp)
        whole_lines(tally, tmp)
        times(tally, tmp)
        tenants(tally, tmp)
        inferred_alone(tally, tmp, VALUES[::3] if args.quick else VALUES)
        inferred_mixed(tally, tmp, 4 if args.quick else 24)
        sizes(tally, tmp)
    tally.done()


if __name__ == "__main__":
    main()
