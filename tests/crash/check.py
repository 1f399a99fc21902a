"""Is a store as it must be after a power cut? evcat, evcheck and evappend are run on it, and evcat
and evcheck again."""

import json
import os
import re
import shutil
import signal
from collections import Counter
from pathlib import Path

import evtools
import evledger
from scenarios import ARCHIVE, STREAM, lines, row, segment

# All that may lie in a store. A schema.sql.tmp waits for the next writer of schema.sql
# (spec/store.md 9).
KNOWN = re.compile(r"""store | store/[tu]
    | store/[tu]/(schema\.(sql|sql\.tmp|lock)|rejects\.ndjson|serials\.(json|lock))
    | store/t/(a|b|c)
    | store/t/(a|b|c)/\d{4}-\d\d-\d\d\.evs(\.tail-\d+(-\d+)?)?
    | store/t/rejects\.ndjson\.tail-\d+(-\d+)?\.ndjson
    | store/t/(keep\.json(\.tmp)?|expire\.lock|expired\.ndjson(\.tail-\d+(-\d+)?\.ndjson)?)
    | m\.prom(\.tmp)? | saved\.evs | \.{1,2}saved\.evs\.salvage(\.new)?
    | archive | archive/t | archive/t/(schema\.(sql|sql\.tmp|lock)|a|b|c)
    | archive/t/(a|b|c)/\d{4}-\d\d-\d\d\.evs(\.tail-\d+(-\d+)?)?
    """, re.X)
# What a killed evcompact leaves for the next one to remove.
LEFT = re.compile(r"store/t/(a|b|c)/\.\d{4}-\d\d-\d\d\.evs\.compact")
KEEP = STREAM + "/keep.json"
# What programs write besides a store: the old file or the new one.
BESIDE = "m.prom", "saved.evs"
# All that evcat may say of a torn end.
TORN = re.compile(
    r"evcat: store/t/\S+: (9-6 the file ends inside an append: .*"
    r"|9-6 bytes that are no commit follow .*"
    r"|9-6 the last append is incomplete: .*|7.3-7 the file ends inside the second trailer .*"
    r"|7\.3-\d .* the trailer \(offset \d+\): 0 rows lost)")
SIDE = re.compile(r"(.*\.(?:evs|ndjson))\.tail-(\d+)(-\d+)?(\.ndjson)?")
TRAILER = 64


class Ran:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err


class Shell:
    """Runs programs in a folder, fast: some 30,000 times."""

    def __init__(self, folder):
        self.root = Path(folder)
        self.box = self.root / "box"
        self.io = [str(self.root / n) for n in ("in", "out", "err")]
        self.box.mkdir(parents=True, exist_ok=True)

    def fill(self, files):
        """Put a tree there in place of what there is."""
        shutil.rmtree(self.box)
        self.box.mkdir()
        for path, data in sorted(files.items()):
            if data is None:
                (self.box / path).mkdir()
            else:
                (self.box / path).write_bytes(data)
        os.chdir(self.box)

    def files(self):
        """The tree that is there."""
        out = {}
        for path in sorted(self.box.rglob("*")):
            out[str(path.relative_to(self.box))] = None if path.is_dir() else path.read_bytes()
        return out

    def run(self, tool, *args, data=b""):
        Path(self.io[0]).write_bytes(data)
        modes = os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, \
            os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        opens = [(os.POSIX_SPAWN_OPEN, fd, self.io[fd], modes[fd], 0o666) for fd in range(3)]
        program = evtools.tool(tool)
        pid = os.posix_spawn(program, [tool, *args], os.environ, file_actions=opens)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
        signal.alarm(60)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        signal.alarm(0)
        return Ran(status, Path(self.io[1]).read_bytes(), Path(self.io[2]).read_bytes().decode(
            errors="replace"))

    def step(self, step):
        return self.run(step.tool, *step.args, data=step.data)


class Need:
    """What was acknowledged: numbers of rows, rejected lines; has the command ended well?"""

    def __init__(self, rows=frozenset(), rejects=frozenset(), done=False):
        self.rows, self.rejects, self.done = rows, rejects, done

    def and_also(self, other):
        return Need(self.rows | other.rows, self.rejects | other.rejects, self.done or other.done)


class Checker:
    """Judges states of one recorded scenario."""

    def __init__(self, scenario, facts, shell):
        self.s, self.f, self.shell = scenario, facts, shell
        self.more = [row(n, *p) for n, p in zip(range(5000, 5006), [(0, 0), (1, 0), (1, 1), (2, 0),
                                                                  (2, 1), (0, 2)])]
        self.more = self.more[:6 if scenario.name == "many segments" else scenario.partitions]
        self.known = {r["n"]: r for r in [*facts.given, *self.more]}
        self.gone = {segment(self.known[n]) for n in scenario.goes}
    def check(self, files, need):
        """Complaints about a state; none when it is as it must be."""
        self.said = []
        self.shell.fill(files)
        self.tree(files, need)
        first = self.read(files, need)
        self.checked(files)
        self.go_on()
        self.checked_again()
        again = self.read_again(first, need)
        self.files_after(files, again)
        return self.said

    def say(self, text, *detail):
        self.said.append(text + "".join(": %.160s" % (d,) for d in detail))

    # ---- the state itself

    def tree(self, files, need):
        self.kept("power cut", self.f.first, files)
        schema = files.get(STREAM + "/schema.sql")
        if schema not in self.f.schemas:
            self.say("schema.sql is between old and new", schema)
        if need.done and schema != self.f.last_schema:
            self.say("schema.sql is not the one that was applied", schema)
        for name in BESIDE:
            if files.get(name) not in (self.f.first.get(name), self.f.last.get(name)):
                self.say("a file is neither the old one nor the new one", name)
            elif need.done and files.get(name) != self.f.last.get(name):
                self.say("a file is not the one that was written", name)
        have = Counter(self.rejects(files)[0])
        evledger.judge(self.f.first, files, self.gone, STREAM, self.say,
                       ARCHIVE + "/t" if ARCHIVE in self.s.run.args else None)
        keep = json.loads(files.get(KEEP) or b"{}")
        if keep not in ({}, {"a": "forever"}, {"a": "forever", "b": "forever"}) or \
                not keep and self.f.first.get(KEEP):
            self.say("keep.json is neither the old one nor the new one", keep)
        if lost := [r for r in need.rejects if not have[r]]:
            self.say("a reject that came before acknowledged rows is lost", lost[0])

    def rejects(self, files):
        """Raw lines of the records, and lines of the file that are none."""
        good, bad = [], []
        for line in (files.get(STREAM + "/rejects.ndjson") or b"").splitlines(keepends=True):
            try:
                good.append(json.loads(line)["raw"])
                if not line.endswith(b"\n"):
                    bad.append(line)
            except ValueError:
                bad.append(line)
        return good, bad

    def read(self, files, need):
        """evcat as it finds the store. Returns the rows by number."""
        ran = self.shell.run("evcat", STREAM)
        if STREAM + "/schema.sql" not in files:
            if need.rows:
                self.say("rows were acknowledged, and there is no store")
            if ran.out or ran.status not in (2, 4):
                self.say("evcat of nothing", ran.status, ran.out, ran.err)
            return None
        clean = all(data in self.f.whole for path, data in files.items() if path.endswith(".evs"))
        if ran.status != (0 if clean else 3):
            self.say("evcat's exit status, the segments being %s" % ("whole" if clean else "torn"),
                     ran.status, ran.err)
        if strange := [x for x in ran.err.splitlines() if not TORN.fullmatch(x)]:
            self.say("evcat reports more than a torn tail", strange[0])
        out = self.rows("evcat", ran, need)
        if need.done and self.s.run.tool == "evexpire" and (stays := self.s.goes & set(out)):
            self.say("rows are there that were dropped", sorted(stays))
        return out

    def checked(self, files):
        """evcheck finds nothing but a torn end: a tail, or a trailer of the newest commit while the
        other one stands."""
        ran = self.shell.run("evcheck", "-q", "-o", "json", "store")
        if STREAM + "/schema.sql" not in files:
            return
        found = [json.loads(x) for x in ran.out.splitlines()]
        if strange := [f for f in found if f["kind"] != "remark" and f["kind"] != "tail" and not
                       (f["rule"].startswith("7.3-") and not f["rows"])]:
            self.say("evcheck finds more than a torn tail", strange[0])
        if ran.status != any(f["kind"] != "remark" for f in found) or ran.err:
            self.say("evcheck's exit status", ran.status, ran.err)

    def checked_again(self):
        ran = self.shell.run("evcheck", "-q", "store")
        if ran.status or ran.out or ran.err:
            self.say("evcheck after the next append", ran.status, ran.out, ran.err)

    def rows(self, name, ran, need):
        """Every row once and whole, none unknown, none missing. Returns them by number."""
        out, serials = {}, Counter()
        for line in ran.out.splitlines():
            try:
                r = json.loads(line)
            except ValueError:
                r = {}
            serials[r.pop("id", None)] += 1
            n = r.get("n")
            if n not in self.known or not same_row(r, self.known[n]):
                self.say(name + ": a half or unknown row", line)
            if n in out:
                self.say(name + ": a row twice", line)
            out[n] = r
        twice = [i for i, k in serials.items() if i is not None and k > 1]
        if twice:
            self.say(name + ": a serial number twice", twice)
        if lost := sorted(need.rows - set(out)):
            self.say(name + ": acknowledged rows are lost", lost, ran.err)
        return out

    # ---- what the next writer makes of it

    def go_on(self):
        if self.s.again:
            ran = self.shell.step(self.s.run)
            if ran.status != self.s.run.status:
                self.say("the command given again", ran.status, ran.err)
        bad = ["bad"] if self.f.bad else []
        ran = self.shell.run("evappend", "--ack", "--stats=json", STREAM,
                             data=lines(*self.more, *bad))
        if ran.status != len(bad):
            self.say("the next append", ran.status, ran.err)
        if sum(json.loads(x)["rows"] for x in ran.out.splitlines()) != len(self.more):
            self.say("the next append's acknowledgements", ran.out)
        if self.s.expires:  # nothing is as old as that, but a run mends what an earlier one left
            ran = self.shell.run("evexpire", "-q", "--older-than", "2000-01-01", STREAM)
            if ran.status != 0 or ran.err:
                self.say("the next run of evexpire", ran.status, ran.err)

    def read_again(self, first, need):
        ran = self.shell.run("evcat", STREAM)
        if ran.status != 0 or ran.err:
            self.say("evcat after the next append", ran.status, ran.err)
        rows = self.rows("after the next append", ran, need)
        want = set(first or ()) | {r["n"] for r in self.more}
        if first is None:  # there was no schema.sql, so nobody could see what lies there
            want = set(rows)
        elif self.s.again:
            want = (want | {r["n"] for r in self.f.run_rows}) - self.s.goes
        if set(rows) != want:
            self.say("after the next append: other rows than before and its own",
                     sorted(set(rows) ^ want))
        return rows

    def files_after(self, files, rows):
        after = self.shell.files()
        known = [p for p in after if self.s.replaces and not self.s.again and LEFT.fullmatch(p)]
        if self.s.expires:
            evledger.settled(self.f.first, after, self.gone, STREAM, self.s.again, self.say)
        if litter := [p for p in after if not KNOWN.fullmatch(p) and p not in known]:
            self.say("files that nobody needs", litter)
        self.kept("recovery", files, after)
        for path, data in after.items():
            if path.startswith(STREAM) and path.endswith(".evs") and not any(
                    segment(self.known[n]) == path for n in rows if n in self.known):
                self.say("a segment without rows", path, len(data))
        good, bad = self.rejects(after)
        if bad:
            self.say("rejects.ndjson has a line that is no record", bad[0])
        have = Counter(good)
        have.pop("bad", None)
        if strange := [r for r in have if r not in self.f.bad]:
            self.say("rejects.ndjson has an unknown line", strange[0])
        if self.s.again and self.f.bad and have != Counter(set(self.f.bad)):
            self.say("with a source each reject is there once", have)

    def kept(self, name, old, new):
        """No byte of a segment or of rejects.ndjson is gone but into a file beside it."""
        for path, was in old.items():
            if not path.endswith((".evs", "/rejects.ndjson")) or new.get(path, b"").startswith(was) \
                    or path in self.gone:
                continue
            now = new.get(path, b"")
            if self.s.replaces and path.endswith(".evs") and now:
                continue  # its rows are looked at
            aside = [int(m[2]) for m in map(SIDE.fullmatch, new) if m and m[1] == path
                     and new[m[0]] == was[int(m[2]):]]
            if any(same_but_trailer(was[:off], now) for off in aside + [len(was)]):
                continue
            self.say("%s: bytes are gone" % name, path, "%d bytes, now %d" %
                     (len(was), len(now)), [p for p in new if p.startswith(path)])


def same_row(got, want):
    return got == want or {k: v for k, v in got.items() if v is not None} == want


def same_but_trailer(was, now):
    """`now` begins with `was`, but for one trailer at its end, which was written again."""
    if len(now) < len(was):
        return False
    differ = [i for i in range(max(0, len(was) - 2 * TRAILER), len(was)) if was[i] != now[i]]
    return was[:-2 * TRAILER] == now[:max(0, len(was) - 2 * TRAILER)] and (
        not differ or differ[-1] - differ[0] < TRAILER)
