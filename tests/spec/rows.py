#!/usr/bin/env python3
"""Random rows of random types through evappend, read back by reader.py and by evcat, which must
give the same values.

    rows.py [SECONDS [SEED]]

Each stream has some columns of any type, or none and an inferred schema; it is filled by one to
three runs with commits of random sizes, and may gain a column in between. reader.py looks at
everything a segment holds (--check): hashes, zones, time bounds, the writer's duties. Without
SECONDS, a fixed number of streams, always the same ones. A stream that fails is kept in the current
folder. The last line is "N passed, N failed"; a segment counts.
"""

import argparse
import contextlib
import glob
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import reader  # noqa: E402

ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
BIN = os.path.join(ROOT, os.environ.get("EVSEG_BIN") or os.environ.get("EVS_BIN") or "build/bin")
STREAMS = 25  # of a run without SECONDS
ALPHABET = "abcdefgh ./-_%\"\\\n\u00e9\u4e2d\U0001f600\u0000"


# ---- types and values ---------------------------------------------------------------------------


def held(r, make):
    """The same, but each value comes again for a while, or often, or comes back soon."""
    habit, last, few = r.randrange(8), [], []

    def step():
        if habit == 0:
            return (last or last.append(make()) or last)[0]
        if habit == 1 and last and r.random() < .97:
            return last[-1]
        if habit == 2 and len(few) >= 50:
            return r.choice(few)
        if habit == 3 and len(few) > 5 and r.random() < .7:  # what came lately
            return few[-1 - min(int(r.expovariate(.1)), len(few) - 1)]
        last[:] = [make()]
        few.extend(last)
        return last[0]
    return step


def whole(r, low, high):
    """How integers of one column come: each column keeps to one habit."""
    habit, at, count = r.randrange(7), [r.randint(low, high)], [0]

    def step():
        count[0] += 1
        if habit == 0:
            return max(low, min(high, int(r.gauss(0, 300))))
        if habit == 1:  # counters, now and then a gap
            at[0] += r.choice((1, 1, 1, 7, 1000))
        elif habit == 2:
            at[0] += r.randint(-5, 5)
        elif habit == 3 and r.random() < .03:
            at[0] = r.randint(low, high)
        elif habit == 4:  # wide for a while, then narrow
            return max(low, min(high, r.getrandbits(30 if count[0] // 200 % 2 else 3)))
        elif habit == 5:  # steady, with an error now and then
            at[0] += 1000 + (r.random() < .02)
        elif habit == 6:
            return r.randint(low, high)
        at[0] = low if at[0] > high or at[0] < low else at[0]
        return at[0]
    return held(r, step)


def fraction(r, w):
    habit, at = r.randrange(6), [r.random() * 100]

    def step():
        if habit == 0:
            return round(r.gauss(0, 1000), r.randrange(5))
        if habit == 1:
            return r.choice((0.0, -0.0, 1e-7, 5e-324, 1.5e300, 0.1, 1e22))
        if habit == 2:
            at[0] = round(at[0] + r.choice((-.25, 0, .25)), 2)
            return at[0]
        if habit == 3:
            return r.random() * 10 ** r.randint(-20, 20)
        if habit == 4:  # no short decimal, but near to each other
            at[0] *= 1 + r.random() / 1e9
            return at[0]
        return float(r.randint(-1000, 1000)) / 4

    def fit():  # what Float32 takes: few digits
        value = step()
        return round(value * 4) / 4 if abs(value) < 1e6 else 0.5
    return held(r, step if w == 8 else fit)


def text(r):
    habit = r.randrange(7)
    few = ["".join(r.choices(ALPHABET, k=r.randrange(12))) for _ in range(r.randint(1, 60))]
    number = whole(r, -1000, 10 ** r.randint(2, 18))
    zone, digits = r.choice(("Z", "+00:00", "")), r.choice((0, 3, 6))

    def step():
        if habit == 0:
            return r.choice(few)
        if habit == 1:
            return str(uuid.UUID(int=r.getrandbits(128), version=4))
        if habit == 2:
            return r.randbytes(r.randrange(20)).hex()
        if habit == 3:
            return str(number())
        if habit == 4:
            return moment(r, r.randrange(1 << 31), digits) + zone
        if habit == 5:
            return "/api/v1/items/%d?page=%d" % (number(), r.randrange(9))
        return "".join(r.choices(ALPHABET, k=int(r.expovariate(.03))))
    return held(r, step)


def moment(r, second, digits, separator="T"):
    text = time.strftime("%Y-%m-%d{}%H:%M:%S".format(separator), time.gmtime(second))
    return text + (".%0*d" % (digits, r.randrange(10 ** digits)) if digits else "")


def ids(r):
    version = r.choice((4, 7, 1))

    def step():
        bits = r.getrandbits(128)
        if version == 7:
            bits = (1_700_000_000_000 + r.randrange(10 ** 6)) << 80 | bits & (1 << 80) - 1
        if version != 1:  # 1 stands for bits of any kind; Python knows no version 7
            bits = bits & ~(15 << 76 | 3 << 62) | version << 76 | 2 << 62
        return str(uuid.UUID(int=bits))
    return held(r, step)


def scalar(r):
    """(type, maker of values)"""
    w = r.choice((8, 16, 32, 64))
    digits, p = r.randrange(10), r.randint(1, 38)
    s, names = r.randrange(p + 1), ["n%d" % i for i in range(r.randint(1, 20))]
    n = r.randint(1, 40)
    units = whole(r, -10 ** min(p, 17) + 1, 10 ** min(p, 17) - 1)

    def decimal():
        v = units()
        a, b = divmod(abs(v), 10 ** s)
        return Raw("-" * (v < 0) + "%d" % a + (".%0*d" % (s, b) if s else "")) if v else 0

    return r.choice((
        lambda: ("Bool", lambda: r.random() < .3),
        lambda: ("Int%d" % w, whole(r, -1 << w - 1, (1 << w - 1) - 1)),
        lambda: ("UInt%d" % w, whole(r, 0, (1 << w) - 1)),
        lambda: ("Float64", fraction(r, 8)), lambda: ("Float32", fraction(r, 4)),
        lambda: ("Decimal(%d, %d)" % (p, s), decimal),
        lambda: ("String", text(r)), lambda: ("String", text(r)),
        lambda: ("FixedString(%d)" % n,
                 lambda: "".join(r.choices("xyz", k=r.randint(0, n)))),
        lambda: ("UUID", ids(r)),
        lambda: ("Date", lambda: moment(r, r.randrange(1 << 31), 0)[:10]),
        lambda: ("DateTime", lambda: moment(r, r.randrange(1 << 31), 0) + "Z"),
        lambda: ("DateTime64(%d)" % digits,
                 lambda: moment(r, r.randrange(1 << 31), digits) + "Z"),
        lambda: ("Enum(%s)" % ", ".join("'%s' = %d" % (x, 3 * i - 9)
                                        for i, x in enumerate(names)), lambda: r.choice(names)),
        lambda: ("IPv4", lambda: "10.%d.0.%d" % (r.randrange(256), r.randrange(4))),
    ))()


def any_type(r, depth=0):
    """(type, maker, may it be Nullable)"""
    kind = r.random()
    if depth < 3 and kind < .12:
        inner, make, _ = any_type(r, depth + 1)
        most = r.choice((1, 3, 12)) if depth else 5
        return "Array(%s)" % inner, lambda: [make() for _ in range(r.randrange(most + 1))], False
    if depth < 3 and kind < .2:
        inner, make, _ = any_type(r, depth + 1)
        keys = text(r)
        return ("Map(String, %s)" % inner,
                lambda: {keys(): make() for _ in range(r.randrange(4))}, False)
    if kind < .25:
        return "JSON", lambda: anything(r), not depth
    name, make = scalar(r)
    if r.random() < .4:
        some = r.choice((.01, .3, .9))
        return "Nullable(%s)" % name, lambda: None if r.random() < some else make(), False
    return name, make, False


def anything(r, depth=0):
    kind = r.randrange(7 if depth < 3 else 5)
    if kind == 5:
        return [anything(r, depth + 1) for _ in range(r.randrange(4))]
    if kind == 6:
        return {"k%d" % i: anything(r, depth + 1) for i in range(r.randrange(4))}
    return (1.5, r.randrange(100), "t\u00e9xt", True, [])[kind]


class Raw(float):
    """A number with the digits it is written in."""

    def __new__(cls, digits):
        self = float.__new__(cls, 0)
        self.digits = digits
        return self

    def __repr__(self):
        return self.digits


def as_json(v):
    """json.dumps, but a Raw keeps its digits."""
    if isinstance(v, Raw):
        return v.digits
    if isinstance(v, list):
        return "[" + ",".join(map(as_json, v)) + "]"
    if isinstance(v, dict):
        return "{" + ",".join(json.dumps(k, ensure_ascii=False) + ":" + as_json(x)
                              for k, x in v.items()) + "}"
    return json.dumps(v, ensure_ascii=False)


# ---- streams ------------------------------------------------------------------------------------


class Stream:
    def __init__(self, r, path):
        self.r, self.path = r, path
        self.columns = [("c%d" % i, *any_type(r)[:2]) for i in range(r.choice((1, 3, 8, 20)))]
        self.unit = r.choice(("toMonday", "toYYYYMM", "toDate"))
        self.tenant = r.random() < .3
        self.declared = r.random() < .85
        self.digits, self.key = r.choice((0, 3, 6, 9)), r.choice(("ts", "tuple()"))
        self.start, self.orderly = r.randrange(1 << 30) + (1 << 29), r.random() < .5
        os.makedirs(path)

    def write_schema(self):
        if not self.declared:
            return
        by = ("ten, " if self.tenant else "") + "%s(ts)" % self.unit
        parts = ["ts DateTime64(%d)" % self.digits] + ["ten UInt16"] * self.tenant
        parts += ["%s %s" % c[:2] for c in self.columns]
        with open(os.path.join(self.path, "schema.sql"), "w", encoding="utf-8") as f:
            f.write("CREATE TABLE s (%s) ENGINE = MergeTree PARTITION BY (%s) ORDER BY %s;\n" % (
                ",\n".join(parts), by, self.key))

    def lines(self, n):
        r, at = self.r, self.start
        for _ in range(n):
            at = at + r.randrange(3) if self.orderly else self.start + r.randrange(5 * 86400)
            row = {"ts": moment(r, at, self.digits) + "Z"}
            if self.tenant:
                row["ten"] = r.randrange(2)
            row.update((name, make()) for name, _, make in self.columns)
            if r.random() < .05:
                row["unknown"] = anything(r)
            yield as_json(row) + "\n"

    def run(self, number):
        """One run of evappend; what is wrong with how it ended, or None."""
        r = self.r
        options = ["-q", "--level", r.choice(("1", "3"))]
        options += ["--flush-rows", str(r.choice((1, 7, 100)))] if r.random() < .5 else []
        options += ["--source", "s%d" % number] if r.random() < .3 else []
        rows = "".join(self.lines(r.choice((1, 5, 60, 700, 1500) if len(options) < 5 else (1, 90))))
        done = subprocess.run([os.path.join(BIN, "evappend"), *options, self.path],
                              input=rows.encode(), capture_output=True)
        # An inferred schema is a declared one to later runs, and may refuse their rows.
        if done.returncode > (number > 0 and not self.declared) or done.stderr:
            return "evappend: %d, %s" % (done.returncode, done.stderr.decode()[-500:])
        return None

    def fill(self):
        self.write_schema()
        for number in range(self.r.randint(1, 3)):
            wrong = self.run(number)
            if wrong:
                return wrong
            if self.declared and self.r.random() < .3:
                kind, make, _ = any_type(self.r)
                kind = kind if "Nullable(" in kind[:9] else "Nullable(UInt8)"
                make = make if kind != "Nullable(UInt8)" else lambda: self.r.randrange(9)
                self.columns.append(("later%d" % number, kind, make))
                self.write_schema()
        return None


def second(path):
    """Rows and messages of reader.py."""
    rows, said = [], io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            out = argparse.Namespace(writelines=rows.extend)
            reader.read(path, out, argparse.Namespace(census=False, check=True, nulls=False))
        except Exception:  # a fault of the reader is a failed test, not the end of all
            traceback.print_exc()
    return b"".join(rows), said.getvalue()


def compare(path):
    """What the readers differ in, or None."""
    done = subprocess.run([os.path.join(BIN, "evcat"), path], capture_output=True)
    mine, said = second(path)
    if done.returncode or done.stderr or said:
        return "evcat: %d, %s; reader.py: %s" % (done.returncode, done.stderr.decode()[-400:],
                                                 said[-400:])
    if mine != done.stdout:
        pairs = zip(mine.splitlines(), done.stdout.splitlines())
        i, x, y = next(((i, x, y) for i, (x, y) in enumerate(pairs) if x != y), (-1, b"", b""))
        return "row %d: reader.py %r, evcat %r" % (i, x[:300], y[:300])
    return None


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else None
    seed = sys.argv[2] if len(sys.argv) > 2 else "10" if seconds is None else str(time.time())
    end = time.monotonic() + (seconds or 0)
    passed = failed = streams = 0
    with tempfile.TemporaryDirectory() as folder:
        while failed < 5 and (streams < STREAMS if seconds is None else time.monotonic() < end):
            path = os.path.join(folder, "s")
            stream = Stream(random.Random("%s/%d" % (seed, streams)), path)
            wrong = stream.fill()
            wrongs = [("stream %s/%d" % (seed, streams), wrong)] if wrong else []
            segments = sorted(glob.glob(path + "/*/*.evs"))
            wrongs += [(os.path.relpath(p, path), w) for p, w in
                       ((p, compare(p)) for p in segments) if w]
            for name, why in wrongs:
                print("FAIL %s/%d %s: %s" % (seed, streams, name, why))
            if wrongs:
                shutil.copytree(path, "rows-%s-%d" % (seed, streams), dirs_exist_ok=True)
            failed += len(wrongs)
            passed += len(segments) - len(wrongs) if not wrong else 0
            streams += 1
            shutil.rmtree(path)
    print(f"{streams} streams")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
