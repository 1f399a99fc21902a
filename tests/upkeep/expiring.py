#!/usr/bin/env python3
"""Writers, readers, evexpire and evcompact on one stream at the same time: no row is lost but those
of the ledger.

usage: expiring.py [SECONDS]

Two writers append late rows to partitions that evexpire drops, again and again, folders of tenants
included, and others to partitions that stay; readers and evstat look on. In the end: rows
acknowledged = rows in the store + rows that the ledger says were dropped, and what stays has every
row once.
"""

import json
import os
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import evtools
from evtools import Scratch, Tally

DDL = """CREATE TABLE t (n UInt64, tenant String, at DateTime) ENGINE = MergeTree
PARTITION BY (tenant, toMonday(at)) ORDER BY n TTL at + INTERVAL 1 DAY;"""
NOW = "2025-06-01T00:00:00Z"
OLD = ["2025-01-06", "2025-01-13", "2025-02-03"]
STAYS = "2025-05-26"


def rows(rng, first, count):
    for n in range(first, first + count):
        late = rng.random() < 0.5
        yield '{"n":%d,"tenant":"%s","at":"%sT00:00:00Z"}\n' % (
            n, rng.choice("abc") if late else "stays", rng.choice(OLD) if late else STAYS)


class Work:
    def __init__(self, stream, seconds):
        self.stream, self.end = stream, time.monotonic() + seconds
        self.acked, self.stays, self.wrong, self.runs = 0, set(), [], {}
        self.lock = threading.Lock()

    def tool(self, name, *args, data=None):
        ran = evtools.run([evtools.tool(name), *args], data=data)
        with self.lock:
            self.runs[name] = self.runs.get(name, 0) + 1
            if ran.status or ran.err:
                self.wrong.append((name, ran.status, ran.err[-300:]))
        return ran

    def write(self, number):
        rng, first = random.Random(number), number << 32
        while time.monotonic() < self.end:
            text = list(rows(rng, first, rng.choice([1, 5, 40])))
            first += len(text)
            ran = self.tool("evappend", "-q", "--ack", self.stream, data="".join(text).encode())
            with self.lock:
                self.acked += sum(json.loads(x)["rows"] for x in ran.out.splitlines())
                self.stays |= {json.loads(x)["n"] for x in text if STAYS in x}

    def expire(self):
        while time.monotonic() < self.end:
            self.tool("evexpire", "-q", "--now", NOW, self.stream)

    def compact(self):
        while time.monotonic() < self.end:
            # What it works on may go, or be made anew, under its hands: then there is nothing to
            # do.
            self.tool("evcompact", "-q", "--all", self.stream)

    def read(self):
        seen = 0
        while time.monotonic() < self.end:
            got = [
                json.loads(x)["n"]
                for x in self.tool("evcat", "--tenant", "stays", self.stream).out.splitlines()
            ]
            self.tool("evcat", "-n", "5000", self.stream)
            if len(set(got)) != len(got) or len(got) < seen:
                self.wrong.append(
                    ("a reader saw a row twice, or fewer than before", len(got), seen))
            seen = len(got)
            self.tool("evstat", "-q", "-o", "json", self.stream)

    def run(self):
        works = [(self.write, (1,)), (self.write, (2,)), (self.expire, ()), (self.expire, ()),
                 (self.compact, ()), (self.read, ())]
        jobs = [threading.Thread(target=f, args=a) for f, a in works]
        for j in jobs:
            j.start()
        for j in jobs:
            j.join()


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4 if evtools.QUICK else 60
    tally = Tally()
    with Scratch("expiring", "/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as tmp:
        made = evtools.run([evtools.tool("evschema"), "-q", "apply", tmp / "store", "-"],
                           data=DDL.encode())
        assert made.status == 0, made.err
        w = Work(tmp / "store/t", seconds * min(evtools.SLOW, 3))
        w.run()
        tally.check("every tool ends well", not w.wrong, w.wrong[:3])
        there = [json.loads(x)["n"] for x in w.tool("evcat", w.stream).out.splitlines()]
        ledger = [json.loads(x) for x in (tmp / "store/t/expired.ndjson").read_text().splitlines()]
        dropped = sum(x["rows"] for x in ledger if x["what"] == "dropped")
        tally.equal("rows acknowledged: in the store, or dropped", len(there) + dropped, w.acked)
        tally.equal("what stays is there once", sorted(set(there) & w.stays), sorted(w.stays))
        tally.equal("no row twice", len(set(there)), len(there))
        tally.equal("every line has its answer",
                    sum(x["what"] == "drop" for x in ledger) * 2, len(ledger))
        tally.check("segments were dropped", dropped, dropped)
        w.tool("evexpire", "-q", "--now", NOW, w.stream)
        tally.equal("nothing is left behind", sorted(p.name for p in w.stream.iterdir()),
                    ["expire.lock", "expired.ndjson", "schema.lock", "schema.sql", "stays"])
        runs = ", ".join("%d %s" % (n, t) for t, n in sorted(w.runs.items()))
        print("%d rows, %d dropped in %d segments; %s" %
              (w.acked, dropped, len(ledger) // 2, runs))
    tally.done()


if __name__ == "__main__":
    main()
