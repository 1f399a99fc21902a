#!/usr/bin/env python3
"""A stream of very many tenant-weeks: each tool that looks after all of it ends in 10 s and 64 MiB.

usage: many.py [SEGMENTS]

100,000 unless said otherwise, 3,000 in make check. They are real ones, of a row each. A tool that
comes later gets a line in JOBS.
"""

import datetime
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import evtools
from evtools import Scratch, Tally

SECONDS, MEMORY_KIB = 10, 64 << 10
WEEKS = 50
DDL = """CREATE TABLE t (n UInt64, tenant String, at DateTime) ENGINE = MergeTree
PARTITION BY (tenant, toMonday(at)) ORDER BY n TTL at + INTERVAL 10 YEAR;"""
JOBS = [  # arguments, lines of stdout for so many segments (None: any)
    (["evstat", "-q"], None),
    (["evstat", "-q", "-o", "json"], lambda n: n),
    (["evstat", "-q", "--by", "tenant", "-o", "json"], lambda n: n // WEEKS),
    (["evexpire", "--dry-run"], lambda n: 0),
    (["evexpire", "--dry-run", "-o", "csv", "--older-than", "2026-06-01"], lambda n: n + 1),
    (["evexpire"], lambda n: 0),
    (["evcompact", "-q"], lambda n: 0),
    (["evcompact", "--dry-run"], lambda n: 0),
]


def rows(tenants):
    """A row for each tenant and week; neighbours are of different tenants."""
    for week in range(WEEKS):
        day = datetime.date(2025, 1, 6) + datetime.timedelta(days=7 * week)
        for t in range(tenants):
            yield '{"n":%d,"tenant":"customer-%06d","at":"%sT00:00:00Z"}\n' % (week, t, day)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 3000 if evtools.QUICK else 100000
    tenants, tally = count // WEEKS, Tally()
    with Scratch("many", "/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as tmp:
        made = evtools.run([evtools.tool("evschema"), "-q", "apply", tmp / "store", "-"],
                           data=DDL.encode())
        assert made.status == 0, made.err
        ran = evtools.run([evtools.tool("evappend"), "-q", tmp / "store/t"],
                          data="".join(rows(tenants)).encode())
        tally.equal("rows for all of them", (ran.status, ran.err), (0, b""))
        for args, lines in JOBS:
            name = " ".join(args)
            with open(tmp / "out", "wb") as out:
                ran = evtools.measured([evtools.tool(args[0]), *args[1:], tmp / "store"],
                                       stdout=out)
            tally.equal(name + ": exit status", ran.status, 0)
            if lines:
                tally.equal(name + ": lines", (tmp / "out").read_bytes().count(b"\n"), lines(count))
            print("%s: %d segments, %.1f s (%.1f s of a processor), %.1f MiB" % (
                name, count, ran.seconds, ran.cpu, ran.peak_kib / 1024))
            if evtools.RELEASE:  # what else the machine does is left out of account
                tally.check(name + ": time", ran.cpu <= SECONDS, ran.cpu)
                tally.check(name + ": memory", ran.peak_kib <= MEMORY_KIB, ran.peak_kib)
    tally.done()


if __name__ == "__main__":
    main()
