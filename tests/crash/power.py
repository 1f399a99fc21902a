#!/usr/bin/env python3
"""Power cuts: whatever the disk has kept of what a program did, what was acknowledged is there.

usage: power.py [--quick] [--random N] [--seed N] [--scenario NAME] [--workers N]
       power.py --replay FILE [--keep DIR]

Each scenario of scenarios.py is recorded once, call by call (record.py, disk.py); then each state
that a power cut may leave (states.py) is put on a disk and judged (check.py). At last the record
is spoiled on purpose, as if a sync had been forgotten or an acknowledgement came too early, which
must be noticed.

A state that fails is kept in a file, with which --replay shows it again (--keep: and leaves the
store in DIR).
"""

import argparse
import copy
import json
import multiprocessing
import os
import pickle
import random
import re
import shutil
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import evtools
import record
import spoil
from check import Checker, Need, Shell
from disk import History
from evtools import Scratch, Tally
from scenarios import SCENARIOS, STREAM, Tear, segment
from states import Disk, digest

FAILURES = Path(os.environ.get("EVS_BUILD") or evtools.ROOT / "build/release") / "crash"
QUICK_STATES = 70  # of each scenario


class Facts:
    """What is known of a recorded scenario, besides the record."""

    def __init__(self, first):
        self.first = first  # the tree before
        self.there = frozenset()  # rows in it
        self.given, self.run_rows, self.bad = [], [], []
        self.whole = set()  # contents of segments that end where a commit ends
        self.schemas, self.last_schema = set(), None
        self.last = {}  # the tree after all of it
        self.runs = []  # the input of each recorded run, see input_of()


def input_of(step):
    """[(end, row, or the line when it is none)]"""
    out, at = [], 0
    for line in step.data.splitlines(keepends=True):
        at += len(line)
        try:
            out.append((at, json.loads(line)))
        except ValueError:
            out.append((at, line.decode().rstrip("\n")))
    return out


class Recording:
    """A scenario that was recorded: history, facts, and from which operation on power may fail."""

    def __init__(self, scenario, shell):
        self.s, self.shell = scenario, shell
        self.start = 0
        shell.fill({})
        given, whole = [], set()
        for step in scenario.before:
            if isinstance(step, Tear):
                path = next(shell.box.rglob("*.evs"))
                path.write_bytes(step.change(path.read_bytes()))
                continue
            ran = shell.step(step)
            assert ran.status == step.status, (step.args, ran.status, ran.err)
            given += input_of(step) if step.tool == "evappend" else []
            whole |= {d for p, d in shell.files().items() if p.endswith(".evs")}
        first = shell.files()
        self.f = Facts(first)
        self.take_given(given)
        self.h = History(first)
        ran = shell.run("evcat", STREAM)
        self.f.there = frozenset(json.loads(x)["n"] for x in ran.out.splitlines())
        self.f.whole = whole

    def take_given(self, given):
        self.f.given += [r for _, r in given if isinstance(r, dict)]
        self.f.bad += [r for _, r in given if isinstance(r, str)]

    def trace(self, step):
        """Run it, add it to the history, and see that the history tells the truth."""
        args = [evtools.tool(step.tool), *step.args]
        Path(self.shell.io[0]).write_bytes(step.data)
        got, err, calls = record.trace(args, self.shell.box, self.shell.io[0], self.shell.io[1],
                                       self.shell.root / "log")
        assert got == step.status, (step.args, got, err)
        self.h.play(calls, self.shell.box, len(self.f.runs))
        self.f.runs.append(input_of(step) if step.tool == "evappend" else [])
        self.take_given(self.f.runs[-1])
        self.f.run_rows = [r for _, r in self.f.runs[-1] if isinstance(r, dict)]
        assert self.h.now.files() == self.shell.files(), "the model and the disk differ"
        assert not self.s.frame or any(b"\x89EVS%c" % self.s.frame in op.data for op in self.h.ops
                                       if op.kind == "write"), "it does not write that frame"
        self.learn()

    def learn(self):
        """Contents of segments and schemas that are whole."""
        tree = self.h.empty_tree()
        path = STREAM + "/schema.sql"
        self.f.schemas.add(self.f.first.get(path))
        for op in self.h.ops:
            tree.apply(op)
            if op.kind == "sync" and op.ino in tree.data:
                self.f.whole.add(tree.data[op.ino])
            if op.kind == "rename" and op.to_name == "schema.sql":
                self.f.schemas.add(tree.data[op.child])
        self.f.last = self.h.now.files()
        self.f.last_schema = self.f.last.get(path)
        self.f.schemas.add(None if self.f.first.get(path) is None else self.f.first[path])

    # ---- what must hold

    def needs(self):
        """For each number of operations: what was acknowledged by then."""
        need = Need(self.f.there - self.s.goes)
        out, said = [need], Counter()
        text = {}
        for op in self.h.ops:
            if op.kind == "ack":
                text[op.run] = text.get(op.run, b"") + op.data
                acks = text[op.run].split(b"\n")[:-1]
                for ack in acks[said[op.run]:]:
                    need = need.and_also(self.acknowledged(op.run, json.loads(ack)))
                said[op.run] = len(acks)
            if op.kind == "exit" and op.status == self.s.run.status and \
                    op.run == len(self.f.runs) - 1:
                need = need.and_also(self.all_stored(op.run))
            out.append(need)
        return out

    def all_stored(self, run):
        """It has ended well: all its rows are stored, now or before."""
        return Need(frozenset(r["n"] for _, r in self.f.runs[run] if isinstance(r, dict)),
                    frozenset(r for _, r in self.f.runs[run] if isinstance(r, str)), True)

    def acknowledged(self, run, ack):
        rows = [r["n"] for end, r in self.f.runs[run] if isinstance(r, dict)
                and end <= ack["source_offset"] and segment(r) == ack["segment"]]
        ends = [end for end, r in self.f.runs[run] if isinstance(r, dict) and r["n"] in rows]
        bad = [r for end, r in self.f.runs[run] if isinstance(r, str)
               and end < max(ends, default=0)]
        return Need(frozenset(rows), frozenset(bad))

    # ---- states

    def states(self):
        """[(state, need)], each tree once, with the most that must hold of it."""
        disk, needs, found = Disk(self.h), self.needs(), {}
        for point in range(self.start, len(self.h.ops) + 1):
            for state in disk.each(point):
                key = digest(disk.build(state))
                if key in found:
                    found[key][1] = found[key][1].and_also(needs[point])
                else:
                    found[key] = [state, needs[point]]
        return list(found.values())

    def random_states(self, rng, count):
        disk, needs = Disk(self.h), self.needs()
        out = []
        while len(out) < count:
            state = disk.random(rng)
            if state.point >= self.start:
                out.append([state, needs[state.point]])
        return out


def recordings(scenario, shell):
    """One, or with a kill one for each place of it."""
    r = Recording(scenario, shell)
    if not scenario.killed:
        r.trace(scenario.run)
        yield r
        return
    r.trace(scenario.killed)
    for point in range(len(r.h.ops) + 1):
        one = copy.deepcopy(r.__dict__)
        one["shell"] = shell
        again = Recording.__new__(Recording)
        again.__dict__.update(one)
        again.h.cut(point)
        shell.fill(again.h.now.files())
        again.trace(scenario.run)
        again.start = point + 1
        yield again


# ---- judging, in several processes ---------------------------------------------------------------

class Work:
    """What forked workers find in memory."""
    recording = states = folder = None


def judge_share(share):
    r = Work.recording
    shell = Shell(Path(Work.folder) / ("worker-%d" % os.getpid()))
    checker, disk, out = Checker(r.s, r.f, shell), Disk(r.h), []
    for i in share:
        state, need = Work.states[i]
        said = checker.check(disk.build(state), need)
        if said:
            out.append((i, said))
    return out


def judge(recording, states, folder, workers, enough=None):
    """[(number, complaints)] of the states that are not as they must be."""
    shell, recording.shell = recording.shell, None
    Work.recording, Work.states, Work.folder = recording, states, folder
    n = len(states)
    size = 50 if enough else max(1, n // (workers * 4))
    shares = [range(i, min(i + size, n)) for i in range(0, n, size)]
    bad = []
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        for found in pool.imap_unordered(judge_share, shares):
            bad += found
            if enough and len(bad) >= enough:
                break
    recording.shell = shell
    return sorted(bad)


def report(tally, name, recording, states, bad, shown=3):
    tally.passed += len(states) - len(bad)
    for number, said in bad[:shown]:
        FAILURES.mkdir(parents=True, exist_ok=True)
        path = FAILURES / ("%s-%d.state" % (re.sub(r"\W+", "-", name), number))
        shell, recording.shell = recording.shell, None
        path.write_bytes(pickle.dumps((recording, states[number])))
        recording.shell = shell
        tally.check("%s, state %d" % (name, number), False, "\n    ".join(
            [*said, "again: tests/crash/power.py --replay %s" % path]))
    if len(bad) > shown:
        tally.failed += len(bad) - shown
        print("not ok: %s: %d more; in all: %s" % (name, len(bad) - shown, Counter(
            s.split(":")[0] for _, said in bad for s in said).most_common()))


def replay(path, keep):
    recording, (state, need) = pickle.loads(Path(path).read_bytes())
    with Scratch("power") as tmp:
        shell = Shell(tmp)
        files = Disk(recording.h).build(state)
        print("%s: power is cut after %d operations:" % (recording.s.name, state.point))
        for i, op in enumerate(recording.h.ops[:state.point]):
            print("  %3d %r" % (i, op))
        print("names kept:", sorted(state.names))
        for ino, kept, size in state.data:
            print("file %d: kept %s, size %s" % (ino, sorted(kept), size))
        print("must be there:", sorted(need.rows), sorted(need.rejects))
        if keep:
            shell.fill(files)
            os.chdir("/")
            shutil.copytree(shell.box, keep)
        said = Checker(recording.s, recording.f, shell).check(files, need)
        print("\n".join(said) or "nothing is wrong")
        sys.exit(1 if said else 0)


def thin(states, count):
    """A fixed choice, spread over all."""
    step = max(1, len(states) // count)
    return states[::step]


def crash(tally, args, tmp, shell):
    totals = Counter()
    kept = []
    for scenario in SCENARIOS:
        if args.scenario and args.scenario != scenario.name or args.quick and not scenario.quick:
            continue
        made = 0
        for r in recordings(scenario, shell):
            states = r.states()
            if args.quick:
                states = thin(states, QUICK_STATES)
            bad = judge(r, states, tmp, args.workers)
            report(tally, scenario.name, r, states, bad)
            made += len(states)
            totals["recordings"] += 1
            totals["operations"] += len(r.h.ops)
            kept.append(r)
        print("%-45s %6d states, %d operations" % (scenario.name, made, len(r.h.ops)), flush=True)
        totals["states"] += made
    print("%(states)d states of %(recordings)d recordings with %(operations)d operations" % totals)
    return kept


def random_crash(tally, args, tmp, kept):
    if not args.random:
        return
    rng = random.Random(args.seed)
    print("%d random states, seed %d" % (args.random, args.seed), flush=True)
    for i, r in enumerate(kept):
        count = args.random * (i + 1) // len(kept) - args.random * i // len(kept)
        states = r.random_states(rng, count)
        report(tally, "random: " + r.s.name, r, states, judge(r, states, tmp, args.workers))


def bite(tally, args, tmp, kept):
    """A spoiled record must be noticed, or the rest of this says nothing."""
    for name, scenario, change in spoil.WAYS:
        found = [r for r in kept if r.s.name == scenario]
        if not found and not args.quick and not args.scenario:
            tally.check("noticed: " + name, False, "no scenario is called %s" % scenario)
        for r in found:
            one = copy.copy(r)
            one.h = spoil.spoiled(r.h, change)
            bad = judge(one, one.states(), tmp, args.workers, enough=1)
            tally.check("noticed: " + name, bad, "nothing was found wrong")
            if bad:
                print("noticed: %s: %.150s" % (name, bad[0][1][0]))
    try:
        record.parse("1 io_uring_setup(8, {flags=0}) = 3\n")
        tally.check("noticed: a call that the model does not know", False)
    except record.Unknown:
        tally.check("noticed: a call that the model does not know", True)


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--quick", action="store_true", default=evtools.QUICK,
                   help="a fixed choice of states; the default in make check")
    p.add_argument("--random", type=int, default=None, help="random states (20000)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--scenario")
    p.add_argument("--workers", type=int, default=None)
    p.add_argument("--replay")
    p.add_argument("--keep")
    args = p.parse_args()
    if args.replay:
        replay(args.replay, args.keep)
    if not evtools.RELEASE:
        print("the release programs are recorded, no others")
        sys.exit(77)
    if why := record.can_trace():
        print(why)
        sys.exit(77)
    if args.random is None:
        args.random = 0 if args.quick or args.scenario else 20000
    args.workers = args.workers or (1 if args.quick else 2)
    tally = Tally()
    with Scratch("power", "/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as tmp:
        shell = Shell(tmp / "first")
        kept = crash(tally, args, tmp, shell)
        bite(tally, args, tmp, kept)
        random_crash(tally, args, tmp, kept)
        os.chdir("/")
    tally.done()


if __name__ == "__main__":
    main()
