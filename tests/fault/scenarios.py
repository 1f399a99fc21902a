"""The table of scenarios: a program, its input and a store to begin with, and the rule that must
hold whatever fails.

A tool that comes later gets a line in `scenarios()`, with one of the rules below.
"""

import gzip
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import evledger
from injector import ASAN, NAMED, died, load_tree, plain, save_tree, tree_hash

NOW = "2024-03-01T00:00:00Z"
# Types of frames (spec/segment.md 3.2) that a scenario is about.
INDEX, SCHEMA_FRAME, DICT, ROLLUP_FRAME, FILTER = 4, 5, 6, 7, 8
SCHEMA = """CREATE TABLE ev (ts DateTime64(3) NOT NULL, who LowCardinality(String), n Int64,
text String, v Float64 DEFAULT n * 2, tags Array(String), j JSON, e Enum('a' = 1, 'b' = 2),
CHECK (n >= 0))
ORDER BY (who, n) PARTITION BY (who, toMonday(ts));
"""
WIDER = (SCHEMA.replace("tags", "more Nullable(Int32) DEFAULT 7, tags")
         .replace("= 2)", "= 2, 'c' = 3)"))
SERIAL = "CREATE TABLE ev (id BIGSERIAL, ts TIMESTAMP NOT NULL, n BIGINT) PARTITION BY RANGE (ts);"
ROLLUP = """CREATE MATERIALIZED VIEW hourly AS
SELECT who, count() AS c, sum(n) AS s FROM ev GROUP BY who;
"""
QUESTION = """SELECT who, count() AS c, sum(n), uniq(text), avg(v), quantile(0.5)(n), groupArray(e)
FROM ev WHERE n % 7 != 3 GROUP BY who HAVING c > 1 ORDER BY who"""
VIEW = "CREATE VIEW many AS SELECT who, count() AS c FROM ev GROUP BY who;\n"


def row(i, who):
    return {"ts": "2024-01-%02dT00:00:%02d.%03dZ" % (1 + i % 9, i % 60, i), "who": who, "n": i,
            "text": "x%d" % i * (i % 9), "tags": ["a", "b"][:i % 3], "j": {"k": i, "l": [i]},
            "e": "ab"[i % 2], **({"unknown": i} if i % 5 == 0 else {})}


def lines(first, n, tenants, bad=()):
    """Rows; each seventh refused by the CHECK, each eleventh by the parser, when `bad` says so."""
    text = []
    for i in range(first, first + n):
        r = row(i, "t%d" % (i % tenants))
        if "check" in bad and i % 7 == 0:
            r["n"] = -i
        t = json.dumps(r)
        text.append(t[:-1] if "json" in bad and i % 11 == 0 else t)
    return "".join(t + "\n" for t in text).encode()


def widening():
    """The schema is inferred from the first rows, and does not hold the last ones."""
    rows = [{"at": "2024-01-0%dT10:00:00Z" % (1 + i % 9), "n": i, "s": "a%d" % i}
            for i in range(1, 30)]
    rows += [{**rows[0], "n": 1.5}, {**rows[1], "s": None}]
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


def wide():
    """More rows than memory is spent on, for more segments than each can have its share."""
    rows = ({**row(i, "t%d" % (i % 8)), "text": "%016d" % i * 64} for i in range(1000, 15000))
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


def noise():
    """Half a megabyte for one segment, however it is packed."""
    rng = random.Random(1)
    rows = ({**row(i, "t0"), "ts": "2024-01-02T00:00:00.000Z", "text": rng.randbytes(600).hex()}
            for i in range(1000, 1800))
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


def prompts():
    """Texts that say the same things over and over, enough for a dictionary."""
    rng = random.Random(2)
    pool = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=1200)) for _ in range(150)]
    rows = (
        {**row(i, "t0"), "ts": "2024-01-02T00:00:00.000Z", "text": " ".join(rng.sample(pool, 4))}
        for i in range(6000))
    return "".join(json.dumps(r) + "\n" for r in rows).encode()


def rows_of(text):
    return sorted(text.decode().splitlines())


def stored(tree, folder, cat=()):
    """evcat of a tree's stream: (status, rows, stderr)."""
    if "store/ev/schema.sql" not in tree:
        return 0, [], ""
    p = plain(["evcat", "--nulls", *cat, "store/ev"], folder)
    return p.returncode, rows_of(p.stdout), p.stderr.decode(errors="replace")


def rejects(tree):
    raw = []
    for x in tree.get("store/ev/rejects.ndjson", b"").splitlines():
        try:
            raw.append(json.loads(x)["raw"])
        except ValueError:
            pass  # torn
    return sorted(raw)


def balances(account):
    fates = ("stored", "duplicate", "rejected", "unstored")
    return account["in"] == sum(account[x] for x in fates)


def frames_of(tree, kind):
    return sum(d.count(b"\x89EVS%c" % kind) for n, d in tree.items() if n.endswith(".evs"))


def left_over(tree):
    return [n for n in tree if n.split("/")[-1].startswith(".") or n.endswith(".tmp")]


class Scenario:
    """Base: what every program owes, whatever it does."""

    want = 0  # exit status without a fault
    kill = False
    frame = None  # of this type there must be some, and an append must write some
    heavy = False  # only a sample, even of the exhaustive run
    long = False  # and none at all otherwise

    def __init__(self, name, base, args, data=b"", **more):
        self.name, self.base, self.args, self.data = name, base, args, data
        self.__dict__.update(more)

    def run(self, bench, folder, fault=None):
        return bench.injector.run(self.args, folder, self.data, fault)

    def clean(self, bench, folder, p):
        """After a run without a fault; its tree is bench.tree(folder)."""
        self.out = p.stdout

    def manners(self, p, fault):
        """Exit status and message."""
        err = p.stderr.decode(errors="replace")
        if fault.kills and p.returncode == -9:
            return []
        if p.kept is not None and p.kept > (self.kept or 0):
            return ["%d pieces of memory were not given back, otherwise %d" % (p.kept, self.kept)]
        if "AddressSanitizer: CHECK failed: sanitizer" in err:
            return []  # it is the sanitizer that got no memory
        if died(p.returncode):
            return ["died with %d: %s" % (p.returncode, err[-1500:])]
        allowed = [self.want] if fault.invisible else [self.want, 4]
        if p.returncode not in allowed:
            return ["exit status %d, not %s: %s" % (p.returncode, allowed, err[-300:])]
        if p.returncode != 4 or fault.kills:
            return []
        wrong = []
        said = [x for x in err.splitlines() if x.startswith(self.args[0] + ": ")]
        if not any(r in x for r in fault.reason for x in said):
            wrong.append("does not say %s: %s" % (fault.reason, err[-300:]))
        elif fault.kind in NAMED and not any(re.match(r"\S+: \S+: ", x) for x in said):
            wrong.append("does not say where: %s" % err[-300:])
        return wrong


class Reading(Scenario):
    """All of the answer, or an error; and nothing is written."""

    def judge(self, bench, folder, p, fault):
        wrong = self.manners(p, fault)
        if p.returncode == self.want and p.stdout != self.out and not fault.kind == "realtime":
            wrong.append("done, but the answer is another: %d bytes, not %d" % (
                len(p.stdout), len(self.out)))
        if self.args[0] == "evcat" and "table" not in self.args:
            more = set(p.stdout.splitlines()[:-1]) - set(self.out.splitlines())
            if more:
                wrong.append("rows that are not there: %.200r" % more)
        if tree_hash(load_tree(folder)) != tree_hash(bench.bases[self.base]):
            wrong.append("the store was written to")
        return wrong


class Following(Reading):
    """evcat -f, to which a row is given after a while."""

    heavy = True

    def __init__(self, name, base, args, row_later):
        super().__init__(name, base, args)
        self.row_later = row_later

    def run(self, bench, folder, fault=None):
        later = bench.pool.submit(self.append, folder)
        try:
            return bench.injector.run(self.args, folder, b"", fault)
        finally:
            later.result()

    def append(self, folder):
        time.sleep(0.15)
        plain(["evappend", "-q", "--now", NOW, "store/ev"], folder, self.row_later)

    def judge(self, bench, folder, p, fault):
        wrong = self.manners(p, fault)
        if p.returncode == self.want and rows_of(p.stdout) != rows_of(self.out):
            wrong.append("done, but the answer is another")
        return wrong


class Appending(Scenario):
    """What was acknowledged is there, nothing twice, and the next run goes on from there."""

    kill = True
    source = True
    cat = ()

    def clean(self, bench, folder, p):
        tree = load_tree(folder)
        self.before = bench.stored(self.base, self.cat)
        _, self.after, _ = stored(tree, folder, self.cat)
        self.refused = rejects(tree)
        self.good = list(self.after)
        for r in self.before:
            self.good.remove(r)
        if len(set(self.good)) != len(self.good):
            raise AssertionError("%s: rows must differ" % self.name)

    def acknowledged(self, p):
        acks = [json.loads(x) for x in p.stdout.decode().splitlines() if x.endswith("}")]
        return sum(a["rows"] for a in acks)

    def judge(self, bench, folder, p, fault):
        wrong = self.manners(p, fault)
        account = self.account(p)
        tree = load_tree(folder)
        now, followed = bench.follow(self, tree)
        there = len(now["rows"]) - len(self.before)
        acked = self.acknowledged(p)
        if acked > there:
            wrong.append("acknowledged %d rows, %d are there" % (acked, there))
        if account and account["stored"] != acked and fault.kind != "stdout":
            wrong.append("%d rows stored, %d acknowledged" % (account["stored"], acked))
        if account and not balances(account):
            wrong.append("the account does not balance: %s" % account)
        if p.returncode == self.want and self.want != 4:
            if now["rows"] != self.after or now["rejects"] != self.refused:
                wrong.append("done, but %d rows of %d are there, %d rejects of %d" % (
                    len(now["rows"]), len(self.after), len(now["rejects"]), len(self.refused)))
            if not account or account["unstored"]:
                wrong.append("done, with the account %s" % account)
        torn = fault.kills or fault.kind in ("ftruncate", "pwrite") or fault.ever
        lost = "rows lost" in now["err"].replace("0 rows lost", "")
        allowed = [0, 3] if (torn or self.base in bench.torn) and not lost else [0]
        if now["status"] not in allowed:
            wrong.append("evcat: exit status %d: %s" % (now["status"], now["err"][-300:]))
        return wrong + followed

    def account(self, p):
        for x in p.stderr.decode(errors="replace").splitlines():
            if x.startswith("{") and x.endswith("}"):
                return json.loads(x)
        return None

    def follow(self, bench, tree, folder):
        """Of a tree that a run has left: what is in it, and complaints about the run after it."""
        save_tree(tree, folder)
        status, rows, err = stored(tree, folder, self.cat)
        now = {"status": status, "rows": rows, "err": err, "rejects": rejects(tree)}
        wrong = []
        rest = list(rows)
        for r in self.before:
            if r not in rest:
                return now, ["old rows are gone"]
            rest.remove(r)
        if set(rest) - set(self.good):
            wrong.append("rows that were never given: %.200r" % sorted(set(rest) - set(self.good)))
        if len(set(rest)) != len(rest):
            wrong.append("rows stored twice")
        p = plain(self.args, folder, self.data)
        if p.returncode != self.want:
            return now, wrong + ["second run: exit status %d: %s" % (p.returncode, p.stderr[-300:])]
        account = self.account(p)
        if not balances(account) or account["unstored"]:
            wrong.append("second run: the account does not balance: %s" % account)
        end = load_tree(folder)
        status, after, err = stored(end, folder, self.cat)
        want = sorted(self.before + self.good + ([] if self.source else rest))
        if status != 0 or after != want:
            wrong.append("after the second run: status %d, %d rows, not %d: %s" % (
                status, len(after), len(want), err[-200:]))
        if self.source and rejects(end) != self.refused:
            wrong.append("after the second run: %d rejects, not %d" % (
                len(rejects(end)), len(self.refused)))
        if left_over(end):
            wrong.append("left behind: %s" % left_over(end))
        return now, wrong


class Pausing(Appending):
    """The input rests in the middle, for long enough to commit."""

    heavy = True

    def run(self, bench, folder, fault=None):
        source, sink = os.pipe2(os.O_CLOEXEC)
        later = bench.pool.submit(self.give, sink)
        try:
            return bench.injector.run(self.args, folder, None, fault, source)
        finally:
            later.result()
            os.close(source)

    def give(self, sink):
        half = self.data.index(b"\n", len(self.data) // 2) + 1
        os.write(sink, self.data[:half])
        time.sleep(0.08)
        os.write(sink, self.data[half:])
        os.close(sink)


class Applying(Scenario):
    """The old schema or the new one, whole; and again is harmless."""

    kill = True

    def clean(self, bench, folder, p):
        self.old = self.schemas(bench.bases[self.base])
        self.new = self.schemas(load_tree(folder))

    def schemas(self, tree):
        return {n: d for n, d in tree.items() if n.endswith("/schema.sql")}

    def judge(self, bench, folder, p, fault):
        wrong = self.manners(p, fault)
        now = self.schemas(load_tree(folder))
        for name, text in now.items():
            if text not in (self.old.get(name), self.new[name]):
                wrong.append("%s is neither the old one nor the new one" % name)
        if p.returncode == self.want and now != self.new:
            wrong.append("done, but not all is there")
        p = plain(self.args, folder, self.data)
        tree = load_tree(folder)
        if p.returncode != self.want or self.schemas(tree) != self.new or left_over(tree):
            wrong.append("again: exit status %d, left behind %s: %s" % (
                p.returncode, left_over(tree), p.stderr[-300:]))
        return wrong


class Compacting(Scenario):
    """The same rows, whatever happens; and the next run ends with the same bytes, and leaves
    nothing behind."""

    kill = True
    unsure = ("unlink", "fstat", "stat", "setlk"
              )  # then nobody can tell whose the file is, or remove it

    def clean(self, bench, folder, p):
        self.end = segments_of(load_tree(folder))
        self.rows = bench.stored(self.base, ())

    def ended(self, tree, fault):
        """With no memory for zstd, a block is stored as it is."""
        if fault.kind == "malloc":
            return set(segments_of(tree)) == set(self.end)
        return segments_of(tree) == self.end

    def judge(self, bench, folder, p, fault):
        wrong = self.manners(p, fault)
        tree = load_tree(folder)
        status, rows, err = stored(tree, folder)
        if rows != self.rows or status not in ([0, 3] if self.base in bench.torn else [0]):
            wrong.append("%d rows, not %d: %d %s" % (len(rows), len(self.rows), status, err[-300:]))
        if p.returncode == self.want and not self.ended(tree, fault):
            wrong.append("done, but the segments are others")
        if left_over(tree) and not fault.kills and not fault.ever and fault.kind not in self.unsure:
            wrong.append("left behind: %s" % left_over(tree))
        p = plain(self.args, folder, self.data)
        tree = load_tree(folder)
        if p.returncode != self.want or not self.ended(tree, fault) or left_over(tree):
            differ = [n for n, d in segments_of(tree).items() if d != self.end.get(n)]
            wrong.append("again: exit status %d, left behind %s, segments that differ: %s: %s" %
                         (p.returncode, left_over(tree), differ, p.stderr[-300:]))
        return wrong


def segments_of(tree):
    return {n: d for n, d in tree.items() if n.endswith(".evs")}


class Expiring(Scenario):
    """A segment is there or is not, and the ledger says which; the next run completes the work."""

    kill = True
    archive = None
    mends = False
    then = None  # another command for the next run

    def clean(self, bench, folder, p):
        self.first = {
            n: d
            for n, d in bench.bases[self.base].items() if n != LEDGER or not self.mends
        }
        after = load_tree(folder)
        self.gone = [n for n in self.first if n.endswith(".evs") and n.startswith("store/ev/t")
                     and n not in after]
        self.before = bench.stored(self.base, ())
        self.after = stored(after, folder)[1]

    def judge(self, bench, folder, p, fault):
        wrong = self.manners(p, fault)
        tree = load_tree(folder)
        say = lambda *x: wrong.append(": ".join(map(str, x)))
        evledger.judge(self.first, tree, self.gone, "store/ev", say, self.archive)
        there = [n for n in self.gone if n in tree]
        if p.returncode == self.want and there:
            wrong.append("done, and %s is there" % there)
        return wrong + bench.follow(self, tree)[1]

    def follow(self, bench, tree, folder):
        """The rows of a tree that a run has left, and what the next run makes of it."""
        save_tree(tree, folder)
        status, rows, err = stored(tree, folder)
        wrong = []
        say = lambda *x: wrong.append(": ".join(map(str, x)))
        if status or not set(self.after) <= set(rows) <= set(self.before):
            say("evcat", status, "%d rows" % len(rows), err[-300:])
        p = plain(self.then or self.args, folder, self.data)
        end = load_tree(folder)
        if p.returncode != self.want or stored(end, folder)[1] != self.after:
            say("second run", p.returncode, p.stderr[-300:])
        evledger.settled(self.first, end, self.gone, "store/ev", True, say)
        if left := left_over(end):
            say("left behind", left)
        return None, wrong


class Archiving(Expiring):
    archive = "old/ev"


class Mending(Expiring):
    """A run was killed when the segments had left."""

    mends = True


class Keeping(Applying):
    """The old times or the new ones."""

    def schemas(self, tree):
        return {n: d for n, d in tree.items() if n.endswith("/keep.json")}


class Salvaging(Scenario):
    """The new file is whole or not there, and what is salvaged is only read."""

    kill = True

    def clean(self, bench, folder, p):
        self.out = p.stdout
        self.rows = rows_of(plain(["evcat", self.args[-2]], folder).stdout)

    def judge(self, bench, folder, p, fault):
        wrong = self.manners(p, fault)
        tree = load_tree(folder)
        new = [n for n in tree if n not in bench.bases[self.base] and tree[n] is not None]
        if {n: d for n, d in tree.items() if n in bench.bases[self.base]} != bench.bases[self.base]:
            wrong.append("the store was written to")
        if p.returncode != -9 and (left := [n for n in new if n.split("/")[-1].startswith(".")]):
            wrong.append("left behind: %s" % left)
        if p.returncode == self.want and p.stdout != self.out:
            wrong.append("done, but other findings")
        for n in new:
            if n.endswith(".evs") and (said := plain(["evcheck", "-q", n], folder)).returncode:
                wrong.append("%s is not sound: %s" % (n, said.stdout[:200]))
        there = any(n.endswith(".evs") for n in new)
        if p.returncode != self.want:
            return wrong
        if rows_of(plain(["evcat", self.args[-2]], folder).stdout) != self.rows:
            wrong.append("done, but other rows")
        elif not there:
            wrong.append("done, and nothing there")
        return wrong


def heads_of(metrics):
    """All but the figures; None when the last line is cut."""
    return [x for x in metrics.splitlines() if x.startswith(b"#")] if metrics.endswith(b"\n") \
        else None


class Noting(Scenario):
    """A small file of the program's own is the old one or the new one, whole: metrics, after an
    error, of what could be looked at. All else is only read."""

    kill = True

    def clean(self, bench, folder, p):
        self.old = bench.bases[self.base].get(self.file)
        self.others = {n: d for n, d in bench.bases[self.base].items() if n != self.file}
        self.new = load_tree(folder).get(self.file)
        if self.new == self.old:
            raise AssertionError("%s: the file is not written" % self.name)

    def judge(self, bench, folder, p, fault):
        wrong = self.manners(p, fault)
        stopped = self.args[0] == "evcheck" and fault.kind == "monotonic"  # so it says where
        tree = load_tree(folder)
        now = tree.pop(self.file, None)
        partly = p.returncode == 4 and now and self.new and heads_of(now) == heads_of(self.new)
        if now not in (self.old, self.new) and not stopped and not partly:
            wrong.append("%s is neither the old one nor the new one" % self.file)
        if p.returncode == self.want and now != self.new and not stopped:
            wrong.append("done, but %s is not the new one" % self.file)
        if fault.kills:
            tree.pop(self.file + ".tmp", None)
        if tree != self.others:
            wrong.append("other files: %s" % (tree.keys() ^ self.others.keys()))
        p = plain(self.args, folder, self.data)
        tree = load_tree(folder)
        now = tree.pop(self.file, None)
        if p.returncode != self.want or now != self.new or tree != self.others:
            wrong.append("again: exit status %d, %s: %s" % (
                p.returncode, sorted(tree), p.stderr[-300:]))
        return wrong


# ---- stores to begin with ------------------------------------------------------------------------

def build(folder, *steps):
    """The tree that commands leave. A step: args, input."""
    folder.mkdir()
    for args, data in steps:
        p = plain(args, folder, data)
        if p.returncode > 1:
            raise AssertionError("%s: %s" % (args, p.stderr))
    tree = load_tree(folder)
    shutil.rmtree(folder)
    return tree


LEDGER = "store/ev/expired.ndjson"
BEGUN = json.dumps({"segment": "ev/t1/2024-01-01.evs", "id": "", "inode": 0, "offset": 0, "row": 0,
                    "commit": 0, "span": 0}).encode() + b"\n"
EXPIRE = ["evexpire", "--now", NOW, "--older-than", "2024-01-08"]
APPEND = ["evappend", "--ack", "--stats=json", "--now", NOW]
SOURCE = APPEND + ["--source", "s", "--flush-rows", "25", "store/ev"]
GIVEN = lines(100, 50, 4, ("check", "json"))


def apply(text):
    return ["evschema", "-q", "apply", "store", "-"], text.encode()


def make_bases(folder, inputs, long):
    (inputs / "more.sql").write_text(WIDER + VIEW)
    (inputs / "in.gz").write_bytes(gzip.compress(GIVEN, mtime=0))
    subprocess.run(["zstd", "-q", "-o", str(inputs / "in.zst")], input=GIVEN, check=True)
    at, put = folder / "build", ["evappend", "-q", "--now", NOW, "store/ev"]
    two = [(put, lines(1, 20, 3)), (put, lines(21, 20, 3))]
    bases = {"none": {}}
    bases["base"] = build(at, apply(SCHEMA), *two)
    bases["wider"] = build(at, apply(SCHEMA), *two, apply(WIDER))
    bases["reread"] = build(at, apply(SCHEMA), two[0], apply(WIDER), two[1])
    bases["serial"] = build(at, apply(SERIAL))
    one_by_one, many = ([*put[:2], "--flush-rows", n, *put[2:]] for n in ("1", "90"))
    # An INDEX comes with the commit behind the 64th: one segment has it, and one is about to.
    december = re.sub(rb"2024-01-0\d", b"2023-12-04", lines(1, 66, 1))
    january = re.sub(rb"2024-01-0\d", b"2024-01-03", lines(200, 62, 1))
    bases["many"] = build(at, apply(SCHEMA), *two, (one_by_one, december), (one_by_one, january))
    bases["large"] = build(at, apply(SCHEMA + VIEW), (put, lines(1, 600, 2)))
    # Fewer rows have no filter.
    bases["filtered"] = build(at, apply(SCHEMA), (put, lines(1, 999, 1)))
    bases["rollup"] = build(at, apply(SCHEMA + ROLLUP), (put, lines(1, 200, 2)),
                            (put, lines(201, 200, 2)))
    bases["large file"] = build(at, apply(SCHEMA), (many, noise()))
    if long:
        bases["prompts"] = build(at, apply(SCHEMA),
                                 ([*put[:2], "--flush-bytes", "512K", *put[2:]], prompts()))
    bases["link"] = link_tenant(bases["base"])
    bases["torn"] = tear(bases["base"], build(at, apply(SCHEMA), *two, (SOURCE, GIVEN)))
    bases["copy"] = spoil(bases["base"])
    bases["tail"] = {**bases["base"], "store/ev/t0/2024-01-01.evs.tail-1000": b"torn"}
    bases["metrics"] = {"ev.prom": b"old\n", **bases["rollup"]}
    bases["begun"] = {**bases["base"], "store/.evcheck": BEGUN}
    keep = EXPIRE[:3] + ["--tenant", "t0", "--keep", "400d", "store/ev"]
    bases["keep"] = build(at, apply(SCHEMA), *two, (keep, b""))
    bases["killed"] = kill(bases["base"], build(at, apply(SCHEMA), *two, (EXPIRE + ["store"], b"")))
    return bases


def kill(old, new):
    """Segments that were dropped under their hidden names, and the ledger as it was then."""
    tree = {n: d for n, d in old.items() if n in new or d is None}
    for name in old:
        if name not in new and old[name] is not None:
            folder, _, file = name.rpartition("/")
            tree["%s/.%s.expired" % (folder, file)] = old[name]
    lines = new[LEDGER].splitlines(keepends=True)
    return dict(
        sorted({**tree, "store/ev/expire.lock": b"",
                LEDGER: b"".join(lines[:len(lines) // 2])}.items()))


def link_tenant(tree):
    """One tenant's folder is a symbolic link."""
    moved = {n.replace("store/ev/t1", "elsewhere"): d for n, d in tree.items()}
    moved["store/ev/t1"] = "../../elsewhere"
    return dict(sorted(moved.items()))


def tear(old, new):
    """Segments as they are when the last append was cut short: half of what it wrote."""
    tree = dict(old)
    for name, data in old.items():
        if name.endswith(".evs") and len(new[name]) > len(data):
            tree[name] = new[name][:(len(data) + len(new[name])) // 2]
    return tree


def spoil(tree):
    """The second copy of a trailer, damaged."""
    name = min(n for n in tree if n.endswith(".evs"))
    data = bytearray(tree[name])
    data[-5] ^= 1
    return {**tree, name: bytes(data)}


def scenarios(inputs):
    """Every program, on every kind of store it may meet."""
    sql = str(inputs / "more.sql")
    whole = APPEND + ["--source", "s", "store/ev"]
    compact = ["evcompact", "--now", NOW, "store"]
    infer = APPEND + ["--source", "s", "--flush-rows", "10", "store/ev"]
    numbers = b"".join(b'{"ts":"2024-01-0%dT00:00:00Z","n":%d}\n' % (1 + i, i) for i in range(8))
    packed = (inputs / "in.zst").read_bytes()
    two_segments = ["store/ev/t0/2024-01-01.evs", "store/ev/t1/2024-01-01.evs"]
    return [
        Appending("append to a store", "base", SOURCE, GIVEN, want=1),
        Appending("append without a source",
                  "base",
                  APPEND + ["store/ev"],
                  lines(100, 30, 4),
                  source=False),
        Appending("append to a folder that a dot names", "base",
                  APPEND + ["--source", "s", "store/ev/."], lines(100, 9, 2)),
        Appending("infer a schema", "none", infer, widening()),
        Appending("fill serial columns", "serial", infer, numbers, cat=("-c", "ts,n")),
        Appending("recover a torn tail", "torn", SOURCE, GIVEN, want=1),
        Appending("write a trailer again", "copy", SOURCE, GIVEN, want=1),
        Appending("write an index", "many", whole, lines(100, 9, 1), frame=INDEX),
        Appending("write a schema", "wider", whole, lines(100, 20, 2), frame=SCHEMA_FRAME),
        Appending("write filters", "base", whole, lines(100, 700, 1), frame=FILTER),
        Appending("write a rollup", "rollup", whole, lines(600, 200, 2), frame=ROLLUP_FRAME),
        Appending("unpack a gzip file", "base", SOURCE + [str(inputs / "in.gz")], want=1),
        Appending("unpack zstd from a pipe", "base", SOURCE, packed, want=1),
        Pausing("commit while the input rests",
                "base",
                APPEND + ["--source", "s", "--flush-interval", "30ms", "store/ev"],
                GIVEN,
                want=1),
        Appending("spill rows", "base", whole, wide(), heavy=True, long=True),
        Reading("read a store", "base", ["evcat", "store/ev"]),
        Reading("read more than fits a window", "large file", ["evcat", "store/ev"]),
        Appending("append to more than fits a window", "large file", whole, lines(900, 3, 1)),
        Reading("read a linked tenant", "link", ["evcat", "store"]),
        Reading("read older schemas", "reread", ["evcat", "--nulls", "store/ev"]),
        Reading("read segments", "reread", ["evcat", *two_segments]),
        Reading("read a torn store", "torn", ["evcat", "store/ev"], want=3),
        Reading(
            "read through an index", "many",
            ["evcat", "-c", "n,text", "--since", "2023-12-04T00:00:10Z", "--until",
             "2023-12-04T00:00:20Z", "store/ev"], frame=INDEX),
        Reading("read a tenant as csv", "base",
                ["evcat", "-o", "csv", "--tenant", "t1", "store/ev"]),
        Reading("read a few as tsv", "base", ["evcat", "-o", "tsv", "-n", "7", "store/ev"]),
        Reading("read as a table", "base", ["evcat", "-o", "table", "-e", "store/ev"]),
        Reading("read what a condition takes", "base",
                ["evcat", "-w", "n % 3 = 0 AND text LIKE '%1%'", "store/ev"]),
        Reading("read a key by its filter", "filtered", ["evcat", "-k", "n=77", "store/ev"],
                frame=FILTER),
        Reading("read in another order", "base", ["evcat", "--sort", "n DESC", "store/ev"]),
        Reading("read the newest of each", "base", ["evcat", "--latest", "who", "store/ev"]),
        Reading("ask a rollup", "rollup",
                ["evagg", "-q", "SELECT who, c, s FROM hourly ORDER BY who", "store"],
                frame=ROLLUP_FRAME),
        Reading("ask a question", "base", ["evagg", "-q", QUESTION, "store"]),
        Reading("ask a view", "large",
                ["evagg", "-q", "SELECT who, c FROM many ORDER BY who", "store"]),
        Reading("ask in parts", "base", [
            "evagg", "-g", "who, e", "-a", "count() AS c, max(ts)", "-w", "n > 3", "--sort",
            "who, e", "store/ev"
        ]),
        Following("follow", "base", ["evcat", "-f", "-n", "41", "store/ev"], lines(90, 1, 3)),
        Compacting("compact", "base", compact),
        Compacting("compact many commits", "many", compact),
        Compacting("compact a torn store", "torn", compact),
        Compacting("compact rows of an older schema", "reread", compact),
        Compacting("compact rows with a rollup", "rollup", compact, frame=ROLLUP_FRAME),
        Compacting("compact with a dictionary", "prompts", compact, heavy=True, long=True,
                   frame=DICT),
        Applying("apply to nothing", "none", ["evschema", "apply", "store", sql]),
        Applying("apply a wider schema", "base", ["evschema", "apply", "store", sql]),
        Applying("apply the same schema", "base", ["evschema", "apply", "store", "-"],
                 SCHEMA.encode()),
        Reading("show a store", "base", ["evschema", "show", "store"]),
        Reading("show a tenant", "base", ["evschema", "show", "store/ev/t0"]),
        Reading("show a segment", "reread", ["evschema", "show", "store/ev/t0/2024-01-01.evs"]),
        Reading("check a schema", "base", ["evschema", "check", "store", sql], want=1),
        Expiring("expire partitions", "base", EXPIRE + ["store"]),
        Expiring("expire a linked tenant", "link", EXPIRE + ["store"]),
        Expiring("expire a tenant and its tail", "tail",
                 EXPIRE[:3] + ["--tenant", "t0", "--all", "--yes", "store/ev"]),
        Expiring("expire by the tenant's own time", "keep", EXPIRE + ["store"]),
        Expiring("drop segments",
                 "base",
                 EXPIRE[:3] + ["--drop", *two_segments],
                 then=EXPIRE + ["--tenant", "t0", "--tenant", "t1", "store"]),
        Archiving("archive partitions", "tail", EXPIRE + ["--archive-to", "old", "store"]),
        Mending("mend what a killed run left", "killed", EXPIRE + ["store"]),
        Keeping("keep a tenant", "keep",
                EXPIRE[:3] + ["--tenant", "t1", "--keep", "1y", "store/ev"]),
        Reading("show what is kept", "keep", ["evexpire", "--show", "store/ev"]),
        Reading("say what is there", "many", ["evstat", "--now", NOW, "-o", "csv", "store"]),
        Reading("say what is there, for people", "reread",
                ["evstat", "--now", NOW, "--by", "stream", "store"]),
        Reading("say what columns take", "large",
                ["evstat", "--now", NOW, "--columns", "-o", "ndjson", "store"]),
        Noting("write metrics", "metrics",
               ["evstat", "-q", "--now", NOW, "--prometheus", "ev.prom", "store"], file="ev.prom"),
        Reading("say what would expire", "tail", EXPIRE + ["-n", "-o", "ndjson", "store"]),
        Reading("check a store with rollups", "rollup", ["evcheck", "store"],
                frame=ROLLUP_FRAME),
        Reading("check through an index", "many", ["evcheck", "store/ev"], frame=INDEX),
        Noting("check what is left of a round", "begun",
               ["evcheck", "--max-duration", "1h", "store"], file="store/.evcheck"),
        Reading("check a torn store", "torn", ["evcheck", "store"], want=1),
        Reading("check a segment", "copy", ["evcheck", "store/ev/t0/2024-01-01.evs"], want=1),
        Salvaging("salvage a segment",
                  "copy", ["evcheck", "--salvage", "out.evs", "store/ev/t0/2024-01-01.evs"],
                  want=1),
        Salvaging("salvage a store", "reread", ["evcheck", "--salvage", "out", "store"]),
        Reading("check sequences", "reread", ["evcheck", "--sequence", "who,n", "store/ev"],
                want=1),
    ]


class Bench:
    """Folders, memory of what was looked at already, and a trial's course."""

    torn = ("torn", "copy")

    def __init__(self, folder, injector, pool, long):
        self.folder, self.injector, self.pool = folder, injector, pool
        inputs = folder / "input"
        inputs.mkdir()
        self.bases = make_bases(folder, inputs, long)
        self.scenarios = scenarios(inputs)
        self.seen, self.rows = {}, {}

    def scratch(self):
        return tempfile.TemporaryDirectory(dir=self.folder, prefix="t")

    def stored(self, base, cat):
        if (base, cat) not in self.rows:
            with self.scratch() as d:
                save_tree(self.bases[base], Path(d))
                self.rows[base, cat] = stored(self.bases[base], Path(d), cat)[1]
        return self.rows[base, cat]

    def follow(self, s, tree):
        key = (s.name, tree_hash(tree))
        if key not in self.seen:
            with self.scratch() as d:
                self.seen[key] = s.follow(self, tree, Path(d) / "again")
        return self.seen[key]

    def count(self, s):
        """The run without a fault: calls by kind, or a complaint."""
        with self.scratch() as d:
            save_tree(self.bases[s.base], Path(d))
            p, counts, _ = s.run(self, Path(d))
            if p is None or p.returncode != s.want:
                return None, ("hangs without a fault" if p is None else
                              "no fault, and exit status %d: %s" % (p.returncode, p.stderr[-800:]))
            if not counts or (p.kept is None and not ASAN):
                return None, "nothing was counted, or main() did not return"
            before = frames_of(self.bases[s.base], s.frame or 0) if isinstance(s, Appending) else 0
            if s.frame and frames_of(load_tree(Path(d)), s.frame) <= before:
                return None, "it has to do with no frame of type %d" % s.frame
            s.kept = p.kept
            s.clean(self, Path(d), p)
            return counts, None

    def trial(self, s, fault):
        """None when the fault did not come to pass, else complaints."""
        with self.scratch() as d:
            folder = Path(d)
            save_tree(self.bases[s.base], folder)
            p, _, faults = s.run(self, folder, fault)
            if p is None:
                return ["hangs"]
            return s.judge(self, folder, p, fault) if faults else None
