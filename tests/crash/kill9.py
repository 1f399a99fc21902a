#!/usr/bin/env python3
"""kill -9 at random moments: what was acknowledged is there, once and whole; the next append works.

usage: kill9.py [--times 200] [--quick] [--seed N]

A writer is fed rows that carry a number, at different speeds, with small commits, and killed at a
random moment; half of the runs with --source, whose input is then given again, and killed again,
until it comes through: the store must then equal that of an undisturbed run. Then SIGTERM and
SIGINT: every row that was read is committed.
"""

import argparse
import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import termios
import threading
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import evtools
from evtools import Scratch, Tally

DDL = b"""CREATE TABLE t (n UInt64, tenant String, at DateTime64(3), text Nullable(String),
    list Array(Int64), extra Nullable(JSON))
ENGINE = MergeTree PARTITION BY (tenant, toMonday(at)) ORDER BY (n);"""


def make_rows(rng, count, widening=False):
    """Lines; the content follows from the number, so that half a row would be noticed.

    With `widening` a field's type changes three times, which an inferred schema follows.
    """
    tenants, weeks = rng.choice([(1, 1), (3, 2), (10, 5)])
    out = []
    for n in range(count):
        r = random.Random(n)
        row = {"n": n, "tenant": "t%d" % r.randrange(tenants),
               "at": "2025-01-%02dT%02d:00:00.%03dZ" %
               (6 + r.randrange(min(weeks * 7, 25)), r.randrange(24), r.randrange(1000)),
               "text": "row %d " % n + "x" * r.randrange(r.choice([5, 50, 2000])),
               "list": [n, n + 1, n * n], "extra": {"n": n, "s": str(n)}}
        if r.randrange(10) == 0:
            del row["text"]
        if r.randrange(7) == 0:
            row["unknown"] = [n, {"deep": n}]
        if widening:
            row["wide"] = [n, n + 0.5, "n%d" % n, [n]][n * 4 // count]
        out.append(json.dumps(row))
    return out


def spoil(rng, rows):
    """Some lines become ones that must be rejected."""
    return [r + "#" if rng.randrange(20) == 0 else r for r in rows]


def good(rows):
    return [r for r in rows if r.endswith("}")]


def text(line):
    return json.dumps(json.loads(line), sort_keys=True)


class Writer:
    """evappend with --ack, fed by a thread."""

    def __init__(self, stream, rows, args, pace, rng, cut=None):
        self.p = subprocess.Popen([evtools.tool("evappend"), "--ack", "--stats=json", *args,
                                   str(stream)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.data = b"".join(r.encode() + b"\n" for r in rows)
        if cut:  # a last line without its end, and the pipe stays open
            self.data += cut
        self.pace, self.rng, self.closes = pace, rng, not cut
        self.feeder = threading.Thread(target=self.feed, daemon=True)
        self.acks, self.errors = b"", b""
        self.readers = [threading.Thread(target=self.read, args=(n, f), daemon=True)
                        for n, f in (("acks", self.p.stdout), ("errors", self.p.stderr))]
        for t in [self.feeder, *self.readers]:
            t.start()

    def feed(self):
        """In pieces cut anywhere."""
        at = 0
        try:
            while at < len(self.data):
                n = self.rng.choice([1, 100, 4096, 65536, 300000])
                self.p.stdin.write(self.data[at:at + n])
                self.p.stdin.flush()
                at += n
                if self.pace and self.rng.randrange(3) == 0:
                    time.sleep(self.pace * self.rng.random())
            if self.closes:
                self.p.stdin.close()
        except (BrokenPipeError, ValueError):
            pass

    def read(self, name, f):
        while piece := os.read(f.fileno(), 65536):
            setattr(self, name, getattr(self, name) + piece)

    def kill(self, signum):
        """Send a signal, wait for the end, return the status."""
        self.p.send_signal(signum)
        return self.end()

    def end(self):
        self.p.wait(600)
        for t in self.readers:
            t.join()
        try:
            self.p.stdin.close()
        except BrokenPipeError:
            pass
        self.feeder.join()
        self.p.stdout.close()
        self.p.stderr.close()
        return self.p.returncode

    def acknowledged(self):
        """Rows of each segment that were acknowledged; a last line cut by the kill was not."""
        out = Counter()
        for line in self.acks[:self.acks.rfind(b"\n") + 1].splitlines():
            ack = json.loads(line)
            out[ack["segment"]] += ack["rows"]
        return out


def read_back(tally, name, stream, torn_allowed):
    """The rows of the store as texts, by segment."""
    ran = evtools.cat(stream)
    notes = ran.err.decode(errors="replace")
    met["tails after a kill"] += torn_allowed and ran.status == 3
    fine = ran.status == 0 or (ran.status == 3 and torn_allowed and only_tails(notes))
    tally.check(name + ": evcat's exit status", fine, "exit %d: %.600s" % (ran.status, notes))
    return [text(line) for line in ran.out.splitlines()]


def only_tails(notes):
    """Nothing but ends that are no commit, with no row lost."""
    return all(": 9-6 " in n and "lost" not in n for n in notes.splitlines())


def check_rows(tally, name, rows, fed):
    """Only rows that were fed, each once, whole."""
    known = {text(r) for r in fed}
    tally.check(name + ": no half or foreign row", all(r in known for r in rows),
                [r for r in rows if r not in known][:2])
    twice = [r for r, k in Counter(rows).items() if k > 1]
    tally.check(name + ": no row twice", not twice, twice[:2])


def check_acked(tally, name, stream, acked):
    """Every segment holds at least what was acknowledged of it."""
    for path, rows in acked.items():
        ran = evtools.cat(path)
        have = ran.out.count(b"\n")
        if not tally.check(name + ": acknowledged rows are there", have >= rows,
                           "%s: %d of %d" % (path, have, rows)):
            return


def flush_args(rng):
    return rng.choice([["--flush-rows", "1"], ["--flush-rows", "7"], ["--flush-rows", "100"],
                       ["--flush-bytes", "20000"],
                       ["--flush-interval", "5ms"], ["--flush-interval", "30ms"],
                       ["--flush-rows", "1000", "--flush-interval", "20ms"], []])


def new_stream(tmp, rng, inferred):
    store = tmp / ("s%x" % rng.getrandbits(60))
    tmp.mkdir(exist_ok=True)
    if not inferred:
        made = evtools.run([evtools.tool("evschema"), "-q", "apply", store, "-"], data=DDL)
        assert made.status == 0, made.err
    return store / "t"


met = Counter()  # what the kills met, shown at the end


def once(tally, tmp, seed, longest):
    """One store that is killed, several times when it has a source."""
    rng = random.Random(seed)
    inferred = rng.randrange(4) == 0
    stream = new_stream(tmp, rng, inferred)
    source = ["--source", "in-%d" % seed] if rng.randrange(2) else []
    rows = make_rows(rng, rng.choice([50, 500, 3000]), inferred and rng.randrange(2) == 0)
    if rng.randrange(2):
        rows = spoil(rng, rows)
    bad = len(rows) - len(good(rows))
    args = source + flush_args(rng)
    name = "seed %d" % seed
    acked = Counter()
    for attempt in range(4 if source else 1):
        w = Writer(stream, rows, args, rng.choice([0, 0.002, 0.02]), rng)
        time.sleep(rng.random() ** 2 * longest)
        status = w.kill(signal.SIGKILL)
        tally.check(name + ": killed, or done before",
                    status in (-signal.SIGKILL, 1 if bad else 0), "%d %s" % (status, w.errors))
        met["done before the kill" if status >= 0 else "killed after some commits"
            if w.acks else "killed before a commit"] += 1
        if source and attempt:  # what was there before is not acknowledged again
            for segment, n in w.acknowledged().items():
                acked[segment] += n
        else:
            acked = w.acknowledged()
        if (stream / "schema.sql").exists():
            got = read_back(tally, name, stream, True)
            check_rows(tally, name, got, good(rows))
            check_acked(tally, name, stream, acked)
        elif acked:
            tally.check(name + ": acknowledged, and no schema", False)
        if status >= 0:
            break
    finish(tally, name, stream, rows, source)


def finish(tally, name, stream, rows, source):
    """The next append works; with a source it completes the store."""
    before = set(read_back(tally, name, stream,
                           True)) if (stream / "schema.sql").exists() else set()
    fine = good(rows)
    bad = len(rows) - len(fine)
    more = rows if source else [r for r in fine if text(r) not in before]
    ran = evtools.append(stream, *source, data=b"".join(r.encode() + b"\n" for r in more))
    account = ran.account()
    if not tally.check(name + ": the next append works",
                       ran.status == (1 if source and bad else 0) and account,
                       "exit %d: %.600r" % (ran.status, ran.err)):
        return
    got = read_back(tally, name + ", after", stream, False)
    tally.check(name + ": the store equals an undisturbed run",
                Counter(got) == Counter(text(r) for r in fine),
                "%d rows, want %d" % (len(got), len(fine)))
    if source:
        tally.equal(name + ": account of the replay",
                    [account[k] for k in ("in", "duplicate", "stored", "rejected")],
                    [len(rows), len(before), len(fine) - len(before), bad])
        again = evtools.append(stream, *source,
                               data=b"".join(r.encode() + b"\n" for r in rows)).account()
        tally.equal(name + ": once more stores nothing", [again["duplicate"], again["stored"]],
                    [len(fine), 0])
        check_rejects(tally, name, stream, [r for r in rows if not r.endswith("}")])
    left = [p.name for p in stream.rglob(".*.new")]
    tally.check(name + ": nothing is left over", not left, left)


def check_rejects(tally, name, stream, bad):
    """With a source, a line that was rejected again and again is in the reject file once."""
    path = stream / "rejects.ndjson"
    raws = [json.loads(x)["raw"] for x in path.read_text().splitlines()] if path.exists() else []
    tally.check(name + ": each reject once", Counter(raws) == Counter(bad),
                "%d in the file, %d wanted" % (len(raws), len(bad)))


def same_source(tally, tmp):
    """The same bytes are the same source, however packed or cut into files."""
    rng = random.Random(1)
    stream = new_stream(tmp, rng, False)
    rows = make_rows(rng, 2000)
    data = b"".join(r.encode() + b"\n" for r in rows)
    half = len(b"".join(r.encode() + b"\n" for r in rows[:777]))
    plain, first, second = tmp / "all.ndjson", tmp / "first.ndjson", tmp / "second.ndjson"
    plain.write_bytes(data)
    first.write_bytes(data[:half])
    second.write_bytes(data[half:])
    for tool, suffix in (("gzip", ".gz"), ("zstd", ".zst")):
        for path in (plain, second):
            packed = subprocess.run([tool, "-c", str(path)], stdout=subprocess.PIPE, check=True)
            (tmp / (path.name + suffix)).write_bytes(packed.stdout)

    def give(name, files, stored, source="one", **kw):
        ran = evtools.run([evtools.tool("evappend"), "--stats=json", "--source", source, stream,
                           *files], **kw)
        account = ran.account() or {}
        tally.equal("source: " + name, [ran.status, account.get("stored"),
                                        account.get("duplicate")],
                    [0, stored, len(rows) - stored if files or kw else 0])

    give("the whole, by zstd", [tmp / "all.ndjson.zst"], 2000)
    give("again, plain", [plain], 0)
    give("again, by gzip", [tmp / "all.ndjson.gz"], 0)
    give("again, two files", [first, second], 0)
    give("again, two files, one packed", [first, tmp / "second.ndjson.zst"], 0)
    give("again, through a pipe", [], 0, data=data)
    give("under another name", [plain], 2000, source="two")
    give("that name again", [plain], 0, source="two")
    ran = evtools.append(stream, "--source", "one",
                         data=data + b"".join(r.encode() + b"\n" for r in make_rows(rng, 10)))
    tally.equal("source: it has grown", [ran.account()["stored"], ran.account()["duplicate"]],
                [10, 2000])
    tally.equal("source: rows in all", evtools.cat(stream).out.count(b"\n"), 4010)


def orderly(tally, tmp, seed, signum):
    """SIGTERM, SIGINT: all rows read are committed, the account balances, exit 0."""
    rng = random.Random(seed)
    stream = new_stream(tmp / "orderly", rng, rng.randrange(3) == 0)
    name = "%s, seed %d" % (signal.Signals(signum).name, seed)
    rows = make_rows(rng, 300)
    args = rng.choice([[], ["--flush-rows", "10"], ["--flush-interval", "1m"]])
    # All input is in the pipe, which stays open: whole lines must be stored, the cut one not.
    w = Writer(stream, rows, args, 0, rng, cut=b'{"n":1000,"tenant":"t0"')
    w.feeder.join()
    deadline = time.monotonic() + 20 * evtools.SLOW
    while time.monotonic() < deadline and not pipe_is_empty(w.p.stdin):
        time.sleep(0.005)
    time.sleep(0.05)
    status = w.kill(signum)
    line = next((x for x in reversed(w.errors.splitlines()) if x.startswith(b"{")), b"{}")
    account = json.loads(line)
    tally.equal(name + ": exit status", status, 0)
    tally.equal(name + ": account", [account.get(k)
                                     for k in ("in", "stored", "duplicate", "rejected")],
                [300, 300, 0, 0])
    tally.equal(name + ": acknowledged", sum(w.acknowledged().values()), 300)
    got = read_back(tally, name, stream, False) if stream.exists() else []
    tally.check(name + ": all rows", Counter(got) == Counter(map(text, rows)),
                "%d rows; %s" % (len(got), w.errors[-300:]))


def pipe_is_empty(f):
    size = bytearray(4)
    fcntl.ioctl(f.fileno(), termios.FIONREAD, size)
    return int.from_bytes(size, sys.byteorder) == 0


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--times", type=int, default=200)
    p.add_argument("--quick", action="store_true", default=evtools.QUICK,
                   help="12 times; the default in make check")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--longest", type=float, default=0.25, help="seconds until the kill, at most")
    args = p.parse_args()
    times = 12 if args.quick else args.times
    tally = Tally()
    with Scratch("kill9") as tmp:
        for i in range(times):
            once(tally, tmp, args.seed + i, args.longest * min(evtools.SLOW, 3))
        for i in range(max(2, times // 10)):
            orderly(tally, tmp, args.seed + i, (signal.SIGTERM, signal.SIGINT)[i % 2])
        same_source(tally, tmp)
    print(", ".join("%s: %d" % x for x in sorted(met.items())))
    if times >= 50:
        tally.check("some kills met a writer at work", met["killed after some commits"] > 0)
    tally.done()


if __name__ == "__main__":
    main()
