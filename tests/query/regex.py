#!/usr/bin/env python3
"""Regular expressions over characters of every length, against Python's re.

usage: regex.py [--count N] [--seed N]

Random patterns of what spec/query.md 6-2 names are asked of random texts. Each row has a number of
its own, and the sum of those that match says which did.
"""

import argparse
import json
import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from evtools import QUICK, Scratch, Tally, run, tool  # noqa: E402

TEXTS, BATCH = 400, 20
# The first and last characters of each length in UTF-8, some in between, what means something.
LETTERS = [*"abz09.:-^][ \x7f", *"\x80é\u07ff\u0800я中日\uffff\U00010000😀\U0010ffff"]
PLAIN = [c for c in LETTERS if c not in "-^][.:"]
REFUSED = ["repeats too often", "too many ranges"]


def members(rng):
    """What stands between [ and ], for us and for Python."""
    ours = theirs = ""
    for _ in range(rng.randint(1, 4)):
        what = rng.random()
        if what < .5:
            c = rng.choice(PLAIN)
            ours, theirs = ours + c, theirs + re.escape(c)
        elif what < .85:
            some = "%s-%s" % tuple(sorted(rng.sample(PLAIN, 2)))
            ours, theirs = ours + some, theirs + some
        else:
            some = rng.choice([r"\d", r"\w", r"\s"])
            ours, theirs = ours + some, theirs + some
    if rng.random() < .2:
        ours, theirs = "]" + ours, r"\]" + theirs
    if rng.random() < .3:
        ours, theirs = ours + "^", theirs + r"\^"
    if rng.random() < .2:
        ours, theirs = ours + "-", theirs + r"\-"
    return ours, theirs


def atom(rng, depth):
    what = rng.random()
    if what < .25:
        c = rng.choice(LETTERS)
        c = re.escape(c) if ord(c) < 128 else c
        return c, c
    if what < .45:
        return ".", "."
    if what < .75:
        front = rng.choice(["[", "[^"])
        ours, theirs = members(rng)
        return front + ours + "]", front + theirs + "]"
    if what < .85 or not depth:
        some = rng.choice([r"\D", r"\W", r"\S", r"\d", r"\w", r"\s"])
        return some, some
    a, b = sequence(rng, depth - 1), sequence(rng, depth - 1)
    return ("%s%s|%s)" % (rng.choice(["(?:", "("]), a[0], b[0]), "(?:%s|%s)" % (a[1], b[1]))


def sequence(rng, depth=2):
    ours = theirs = ""
    for _ in range(rng.randint(1, 4)):
        a = atom(rng, depth)
        times = rng.choice(["", "", "", "*", "+", "?", "{2}", "{1,3}"])
        ours, theirs = ours + a[0] + times, theirs + a[1] + times
    return ours, theirs


def pattern(rng):
    ours, theirs = sequence(rng)
    begin, end = rng.random() < .6, rng.random() < .6
    return "^" * begin + ours + "$" * end, "^" * begin + "(?:%s)" % theirs + r"\Z" * end


def ask(store, patterns):
    """The sums, or the message."""
    calls = ["sumIf(n, s ~ '%s') AS p%d" % (p.replace("\\", "\\\\").replace("'", "''"), i)
             for i, p in enumerate(patterns)]
    ran = run([tool("evagg"), "-q", "SELECT %s FROM texts" % ", ".join(calls), store])
    if ran.status:
        return ran.err.decode(errors="replace")
    row = json.loads(ran.out)
    return [row.get("p%d" % i, 0) for i in range(len(patterns))]  # of no row: NULL


def judge(tally, store, rows, batch):
    """Compares a batch; how many were refused, as they may be."""
    got = ask(store, [ours for ours, _ in batch])
    if isinstance(got, str) and len(batch) > 1:
        return sum(judge(tally, store, rows, [one]) for one in batch)
    if isinstance(got, str):
        tally.check("answered, or refused for its size: %r" % batch[0][0],
                    any(why in got for why in REFUSED), got)
        return 1
    for (ours, theirs), total in zip(batch, got):
        matcher = re.compile(theirs, re.ASCII | re.S)
        tally.equal("%a" % ours, total, sum(n for n, s in rows if matcher.search(s)))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100 if QUICK else 3000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng, tally = random.Random(args.seed), Tally()
    rows = [(rng.getrandbits(40), "".join(rng.choices(LETTERS, k=rng.randint(0, 6))))
            for _ in range(TEXTS)]
    with Scratch("regex", tally=tally) as folder:
        (folder / "texts.sql").write_text("CREATE TABLE texts (ts DateTime, n UInt64, s String);\n")
        store = folder / "store"
        run([tool("evschema"), "apply", store, folder / "texts.sql"])
        data = "".join(json.dumps({"ts": "2025-01-06T10:00:00Z", "n": n, "s": s}) + "\n"
                       for n, s in rows)
        tally.equal("stored", run([tool("evappend"), "-q", store / "texts"], data.encode()).status,
                    0)
        patterns = [pattern(rng) for _ in range(args.count)]
        refused = sum(judge(tally, store, rows, patterns[i:i + BATCH])
                      for i in range(0, len(patterns), BATCH))
    tally.check("few are refused", refused * 10 <= args.count, refused)
    print("%d patterns, %d refused for their size" % (args.count, refused))
    tally.done()


if __name__ == "__main__":
    main()
