"""Golden files for make_corpus.py: columns that make the writer choose each kind of node it has."""

import random
import struct
import uuid

from corpus_store import at, case
from spec_schema import float_text


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


def encoded(s, columns):
    """Append the columns {name: (type, values)}."""
    n = len(next(iter(columns.values()))[1])
    declared = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
    s.schema(f"CREATE TABLE e ({declared}, ts DateTime NOT NULL) ENGINE = MergeTree "
             "PARTITION BY toMonday(ts)")
    s.append([dict({name: values[i] for name, (_, values) in columns.items()}, ts=at(i))
              for i in range(n)])


@case
def encodings_int(s):
    r, n = random.Random(3), 600
    far = [r.getrandbits(63) for _ in range(12)]
    clock = walk(r, n, 2000)
    wild = [r.randrange(100) if r.random() < .97 else r.getrandbits(40) for _ in range(n)]
    fresh = (r.getrandbits(60) for _ in range(n))
    encoded(s, {
        "const": ("Int64", [-3] * n), "dict": ("Int64", [r.choice(far) for _ in range(n)]),
        "runs": ("Int32", [far[i // 60] & 0xFFFFFF for i in range(n)]),
        "packed": ("UInt16", [r.randrange(1000) for _ in range(n)]),
        "patched": ("Int64", wild), "delta": ("Int64", [1704067200000 + v for v in clock]),
        "delta2": ("Int64", [1704067200000 + 1000 * i + i * i // 7 for i in range(n)]),
        "down": ("Int32", [-v for v in clock]),
        "scaled": ("Int64", [r.randrange(500) * 86400 - 7 for _ in range(n)]),
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
        bits = r.getrandbits(52) | 0x4080000000000000 | r.getrandbits(1) << 63
        return struct.unpack("<d", struct.pack("<Q", bits))[0]

    few = [double() for _ in range(9)]
    fresh = (double() for _ in range(n))
    encoded(s, {
        "decimal": ("Float64", [r.randrange(100000) / 100 for _ in range(n)]),
        "digits": ("Float64", [round(r.random() * 1000, i // 64 % 7) for i in range(n)]),
        "ulps": ("Float64", [r.randrange(5000) * 0.0000015 + r.randrange(300) * 0.000002
                             for _ in range(n)]),
        "exceptions": ("Float64", [r.choice([-0.0, 1e300, double()]) if i % 40 == 3
                                   else r.randrange(900) / 10 for i in range(n)]),
        "noise": ("Float64", [double() for _ in range(n)]), "const": ("Float64", [few[0]] * n),
        "dict": ("Float64", [r.choice(few) for _ in range(n)]),
        "runs": ("Float64", [few[i // 60] for i in range(n)]),
        "recent": ("Float64", list(recent(r, n, lambda: next(fresh)))),
        "whole": ("Float64", [float(r.randrange(10 ** 6)) for _ in range(n)]),
        "f32": ("Float32", [r.randrange(1000) / 8 for _ in range(n)]),
        "f32d": ("Float32", [r.randrange(1000) / 100 for _ in range(n)]),
        "f32n": ("Float32", [float(float_text(r.getrandbits(23) | 0x3F800000, 4))
                             for _ in range(n)]),
    })


@case
def encodings_fixed(s):
    r, n = random.Random(5), 300

    def four():
        return str(uuid.UUID(int=r.getrandbits(128), version=4))

    def seven(i):
        time = 1704067200000 + i * 37
        return str(uuid.UUID(int=time << 80 | 7 << 76 | r.getrandbits(12) << 64 | 2 << 62 |
                             r.getrandbits(62)))

    few, fresh = [four() for _ in range(7)], (four() for _ in range(n))
    encoded(s, {
        "v4": ("UUID", [four() for _ in range(n)]), "v7": ("UUID", [seven(i) for i in range(n)]),
        "dict": ("UUID", [r.choice(few) for _ in range(n)]), "const": ("UUID", few[:1] * n),
        "recent": ("UUID", list(recent(r, n, lambda: next(fresh)))),
        "mixed": ("UUID", [str(uuid.UUID(int=r.getrandbits(128))) for _ in range(n)]),
        "v6": ("IPv6", ["2001:db8::%x:%x" % (1 + r.randrange(4), 1 + r.randrange(65535))
                        for _ in range(n)]),
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
        for i in range(n):
            fraction = ".%0*d" % (digits, r.randrange(10 ** digits)) if digits else ""
            yield "2024-01-%02d%s%02d:%02d:%02d%s%s" % (
                1 + i // 24 % 28, separator, i % 24, r.randrange(60), r.randrange(60), fraction,
                suffix)

    encoded(s, {
        "plain": ("String", [" ".join(r.choice(words) for _ in range(r.randrange(6)))
                             for _ in range(n)]),
        "const": ("String", ["always the same"] * n),
        "dict": ("String", [r.choice(few) for _ in range(n)]),
        "uuids": ("String", [four() for _ in range(n)]),
        "hex": ("String", ["%032x" % r.getrandbits(128) for _ in range(n)]),
        "hexes": ("String", ["%0*x" % (2 * r.randrange(1, 9), r.getrandbits(8)) for _ in range(n)]),
        "ints": ("String", [str(r.randrange(-10 ** 9, 10 ** 12)) for _ in range(n)]),
        "iso": ("String", list(stamp("T", 3, "Z"))), "space": ("String", list(stamp(" ", 0, ""))),
        "zone": ("String", list(stamp("T", 6, "+00:00"))),
        "dates": ("String", ["2024-%02d-%02d" % (1 + r.randrange(12), 1 + r.randrange(28))
                             for _ in range(n)]),
        "affix": ("String", ["req_%016x.json" % r.getrandbits(64) for _ in range(n)]),
        "json": ("JSON", [{"n": r.randrange(100), "w": r.choice(words)} for _ in range(n)]),
    })


@case
def encodings_recent(s):
    """Ids that come back soon after they were new, in so many rows that counting back pays."""
    r, n = random.Random(8), 2000
    fresh = (str(uuid.UUID(int=r.getrandbits(128), version=4)) for _ in range(n))
    far = (r.getrandbits(60) for _ in range(n))
    encoded(s, {"task": ("UUID", list(recent(r, n, lambda: next(fresh)))),
                "n": ("Int64", list(recent(r, n, lambda: next(far))))})


@case
def encodings_small(s):
    """The same columns in small packed groups: one, two, three and 40 rows."""
    s.schema("CREATE TABLE e (i Int64, j UInt8, f Float64, g Float32, s String, u UUID, "
             "t DateTime64(9), l Array(Int16), "
             "ts DateTime NOT NULL) ENGINE = MergeTree PARTITION BY toMonday(ts)")
    r = random.Random(7)
    for n in (1, 2, 3, 40):
        s.append([{"i": 10 ** 12 + 1000 * i, "j": r.randrange(256), "f": r.randrange(1000) / 10,
                   "g": i / 4, "s": r.choice(["on", "off"]),
                   "u": str(uuid.UUID(int=r.getrandbits(128), version=4)),
                   "t": at(i, digits=9), "l": [i] * (i % 3), "ts": at(i)} for i in range(n)])


def lines(r, n):
    """Lines of a log: some forms, ids and numbers in their gaps."""
    hosts = ["api-%x" % r.getrandbits(24) for _ in range(5)]
    for i in range(n):
        number = uuid.UUID(int=r.getrandbits(128), version=4)
        yield r.choice(["request %s done in %dms" % (number, r.randrange(900)),
                        "cache miss key=v2:%s" % number, "%s is ready after %d.%02ds" % (
                            r.choice(hosts), r.randrange(9), r.randrange(100)),
                        "connected to 10.1.%d.%d:5432, \u00fcber %08x" % (
                            r.randrange(256), r.randrange(256), r.getrandbits(32))])


def payload(r, i):
    out = {
        "user_id": 10**6 + r.randrange(10**6), "trace": "%032x" % r.getrandbits(128),
        "state": r.choice(["new", "open",
                           "done"]), "tags": [r.randrange(50) for _ in range(r.randrange(4))]
    }
    if i % 3:
        out["price"] = r.randrange(10 ** 6) / 100
    if i % 5 == 0:
        out["by"] = {"name": "user %d" % r.randrange(30), "admin": r.random() < .1, "note": None}
    return out


@case
def encodings_templates(s):
    """Texts with gaps, which evcompact looks for: lines of a log, JSON, values of a map."""
    r, n = random.Random(9), 1200
    s.schema(
        "CREATE TABLE e (line Nullable(String), payload JSON, tags Map(String, String), ts DateTime NOT NULL) "
        "ENGINE = MergeTree PARTITION BY toMonday(ts)")
    s.append([{
        "line": line if i % 9 else None, "payload": payload(r, i),
        "tags": {"trace": "%032x" % r.getrandbits(128),
                 "user": "usr_%x" % r.getrandbits(40)}, "ts": at(i)
    } for i, line in enumerate(lines(r, n))])
    s.run("evcompact", "-q", "--all", "st")
