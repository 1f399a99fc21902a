#!/usr/bin/env python3
"""A writer, four readers, a follower, evcompact and evexpire at work on one stream, all at once.

usage: soak.py [--seconds N] [--seed N]

Rows are numbered. Whoever reads must see, once and whole, each row that was acknowledged before the
reading began and whose partition was not yet due when it ended; none twice, none that nobody wrote.
The clock is the rows' own, and evexpire is told of it. `evcat -f`, running all
the while, must give every row exactly once. In the end the store holds what it must, to the row,
evcheck has nothing to say, and no file is left that does not belong. In `make check` it takes some
seconds; `make check-upkeep` takes ten minutes.
"""

import argparse
import datetime
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import evtools
from evtools import Scratch, Tally, tool

DDL = b"""CREATE TABLE t (n UInt64, tenant String, at DateTime NOT NULL, text Nullable(String), extra Nullable(JSON))
ENGINE = MergeTree PARTITION BY (tenant, toMonday(at)) ORDER BY (tenant, n)
TTL at + INTERVAL 28 DAY;
CREATE MATERIALIZED VIEW by_tenant AS SELECT tenant, count() AS rows, sum(n) AS sum FROM t GROUP BY tenant;
"""
START = datetime.datetime(2024, 12, 2)  # a Monday
STEP = datetime.timedelta(minutes=11)  # from row to row
KEEP = datetime.timedelta(days=28)
WEEK = datetime.timedelta(days=7)
TENANTS = ("a", "b", "c")
FOREIGN = re.compile(r"schema\.sql|schema\.lock|expired\.ndjson|ledger\.ndjson|[^/]+\.lock|[abc]"
                     r"|[abc]/\d{4}-\d\d-\d\d\.evs")


def time_of(n):
    return START + n * STEP


def due(n):
    """When the partition of row n is past."""
    at = time_of(n)
    return START + (at - START) // WEEK * WEEK + WEEK + KEEP


def row(n):
    return {"n": n, "tenant": TENANTS[n * 7 % 3], "at": time_of(n).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "text": "row %d %s" % (n, "x" * (n * 31 % 97)), "extra": {"n": n}}


def text(r):
    return json.dumps(r, sort_keys=True)


class Soak:
    def __init__(self, tally, folder, seconds, seed, following):
        self.tally, self.folder, self.seconds, self.following = tally, folder, seconds, following
        self.rng = random.Random(seed)
        self.store = folder / "store"
        self.stream = self.store / "t"
        self.acked = 0  # rows below are on disk
        self.given = 0  # rows below may be
        self.expiring = START  # the latest clock that evexpire was told
        self.end = threading.Event()
        self.lock = threading.Lock()
        self.counts = {}

    def check(self, name, ok, detail=""):
        with self.lock:
            self.tally.check(name, ok, detail)
            self.counts[name] = self.counts.get(name, 0) + 1
        if not ok:
            self.end.set()

    def ended_well(self, name, ran, statuses=(0,)):
        self.check(name + ": exit status", ran.status in statuses,
                   "exit %d: %.500s" % (ran.status, ran.err.decode(errors="replace")))

    def clock(self):
        """Time is where the writer is, or the follower, who must have seen a row before it goes."""
        path = self.folder / "followed"
        return time_of(
            path.read_bytes().count(b"\n") if self.following and path.exists() else self.acked)

    # ---- who is at work -----------------------------------------------------------------------

    def write(self):
        while not self.end.is_set():
            count = self.rng.choice([1, 3, 40, 400])
            lines = "".join(
                json.dumps(row(n)) + "\n" for n in range(self.acked, self.acked + count))
            self.given = self.acked + count
            flush = self.rng.choice([(), ("--flush-rows", "7")])
            ran = evtools.run([tool("evappend"), "-q", *flush, self.stream], data=lines.encode())
            self.ended_well("append", ran)
            self.acked += count * (ran.status == 0)

    def compact(self):
        """With --all a segment may be compacted again before a follower has looked: one or the other."""
        args = () if self.following else ("--all",)
        while not self.end.is_set():
            ran = evtools.run([tool("evcompact"), "-q", *args, self.store])
            self.ended_well("evcompact", ran)

    def evexpire(self, now):
        return evtools.run(
            [tool("evexpire"), "-q", "--now",
             now.strftime("%Y-%m-%dT%H:%M:%SZ"), self.store])

    def expire(self):
        while not self.end.is_set():
            self.expiring = self.clock()
            self.ended_well("evexpire", self.evexpire(self.expiring))
            time.sleep(0.05)

    def read(self):
        while not self.end.is_set():
            acked = self.acked
            ran = evtools.run([tool("evcat"), self.store])
            self.ended_well("evcat", ran)
            self.judge("evcat", ran.out, acked)
            self.ask()

    def judge(self, name, out, acked):
        """Rows `out` of a reading that began when rows below `acked` were there."""
        rows = [json.loads(line) for line in out.splitlines()]
        got = {r["n"] for r in rows}
        self.check(name + ": no row twice", len(got) == len(rows),
                   sorted(r["n"] for r in rows if r["n"] in got)[:3])
        late = self.expiring  # what was not due then cannot have gone
        missing = [n for n in range(acked) if due(n) > late and n not in got]
        self.check(name + ": no row missing", not missing, "%d: %s" % (len(missing), missing[:5]))
        bad = [r for r in rows if r["n"] >= self.given or text(r) != text(row(r["n"]))]
        self.check(name + ": no row that nobody wrote", not bad, bad[:2])

    def ask(self):
        """The view's rollup, which must not count a row twice either."""
        acked = self.acked
        ran = evtools.run(
            [tool("evagg"), "-q", "SELECT count() AS rows, sum(n) AS sum FROM t", self.store])
        self.ended_well("evagg", ran)
        if ran.status:
            return
        n = json.loads(ran.out)["rows"]
        low = sum(due(n) > self.expiring for n in range(acked))
        self.check("evagg: a count that can be", low <= n <= self.given,
                   "%d: %d .. %d" % (n, low, self.given))

    # ---- the whole ----------------------------------------------------------------------------

    def follow(self):
        out = open(self.folder / "followed", "wb")
        err = open(self.folder / "followed.err", "wb")
        return subprocess.Popen(
            [tool("evcat"), "-f", "-c", "n", str(self.store)],
            stdout=out,
            stderr=err,
            stdin=subprocess.DEVNULL)

    def judge_follower(self, f):
        path = self.folder / "followed"
        deadline = time.monotonic() + 20 * evtools.SLOW
        while path.read_bytes().count(b"\n") < self.acked and time.monotonic() < deadline:
            time.sleep(0.1)
        f.terminate()
        f.wait(60)
        got = [json.loads(x)["n"] for x in path.read_bytes().splitlines()]
        self.check("follower: each row once", sorted(got) == list(range(self.acked)),
                   "%d rows, %d different, of %d; %.300s" % (
                       len(got), len(set(got)), self.acked,
                       (self.folder / "followed.err").read_bytes().decode(errors="replace")))

    def settle(self):
        """Nobody is at work any more: the store to the row."""
        late = time_of(self.acked)
        self.expiring = late
        self.ended_well("last evexpire", self.evexpire(late))
        self.ended_well("last evcompact",
                        evtools.run([tool("evcompact"), "-q", "--all", self.store]))
        self.ended_well("evcheck", evtools.run([tool("evcheck"), "-q", self.store]))
        ran = evtools.run([tool("evcat"), self.store])
        self.ended_well("last evcat", ran)
        got = sorted(text(json.loads(x)) for x in ran.out.splitlines())
        want = sorted(text(row(n)) for n in range(self.acked) if due(n) > late)
        self.check("what is left", got == want, "%d rows, not %d" % (len(got), len(want)))
        files = [str(p.relative_to(self.stream)) for p in self.stream.rglob("*")]
        left = [p for p in files if not FOREIGN.fullmatch(p)]
        self.check("no file is left over", not left, left[:5])

    def run(self):
        ran = evtools.run([tool("evschema"), "-q", "apply", self.store, "-"], data=DDL)
        assert ran.status == 0, ran.err
        follower = self.follow() if self.following else None
        jobs = [self.write, self.compact, self.expire, *[self.read] * 4]
        threads = [threading.Thread(target=self.guard, args=(j,)) for j in jobs]
        for t in threads:
            t.start()
        self.end.wait(self.seconds)
        self.end.set()
        for t in threads:
            t.join()
        if follower:
            self.judge_follower(follower)
        self.settle()
        print("%d rows, %s; %s" % (self.acked, time_of(self.acked).date(), ", ".join(
            "%s %d" % (k.split(":")[0], v)
            for k, v in self.counts.items() if k.endswith("exit status"))))

    def guard(self, job):
        try:
            job()
        except Exception as e:  # a reader's own fault must not pass for quiet
            self.check(job.__name__, False, repr(e))


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=float, default=4 if evtools.QUICK else 600)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    tally = Tally()
    for following in (False, True):
        with Scratch("soak") as folder:
            Soak(tally, folder, args.seconds / 2, args.seed, following).run()
    tally.done()


if __name__ == "__main__":
    main()
