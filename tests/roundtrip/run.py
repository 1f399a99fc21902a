#!/usr/bin/env python3
"""Round trip: what goes in through evappend comes out of evcat, value by value, or is rejected.

usage: run.py [--rows N] [--quick] [--jobs N] [NAME...]

For every table of gen_seed_events.py, with its system's schema (corpus/systems) and without any,
clean and with --dirty .05 --dup .05; and for every *.ndjson.zst of the shared data. judge.py, which
shares no code with evseg, says what must become of each line; the rows that come back are compared
as a multiset. Also: what was rejected, mended and sent again, completes the store.
"""

import argparse
import base64
import concurrent.futures
import json
import re
import sys
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import evtools
import judge
from evtools import Scratch, Tally

TABLES = ["task_events", "tasks", "llm_events", "tool_calls", "agent_steps", "service_status",
          "service_metrics",
          "service_logs", "workflow_events", "mbflow_events", "node_executions"]
# The generator's name, where it is not the one the system's document uses, and a table beside it.
STREAMS = {"llm_events": ("events", "tool_calls"), "mbflow_events": ("events", "node_executions")}


class Expected:
    """What must come of the lines of an input."""

    def __init__(self, data, table, typed):
        self.rows, self.bad, self.lines, self.nrows = Counter(), {}, {}, 0
        self.filled = set()      # columns that the writer filled in for some row
        self.given = Counter()   # (column, value) of those where the input has one
        self.table, self.typed = table, typed
        kept = []
        for number, offset, raw in judge.lines_of(data):
            kind, fields = judge.read_line(raw)
            if kind == "blank":
                continue
            self.lines[number] = offset, raw
            if kind == "bad":
                self.bad[number] = None
                continue
            try:
                row = judge.row(fields, table)
            except judge.Misfit as e:
                self.bad[number] = e.column
                continue
            self.filled |= {c.name for c in table.columns.values() if c.default
                            and c.name not in fields}
            kept.append(row if typed else fields)
        for row in kept:
            self.given.update((c, judge.row_text({c: row.pop(c)})) for c in self.filled if c in row)
            self.rows[judge.digest(row)] += 1
        self.nrows = len(kept)


def compare_rows(tally, name, want, out):
    """The lines of evcat against what is expected."""
    got, extra, given = Counter(), {}, Counter()
    n = 0
    for number, _, raw in judge.lines_of(out):
        kind, fields = judge.read_line(raw)
        if kind != "row":
            tally.check(name + ": prints JSON", False,
                        "line %d: %s: %.200r" % (number, fields, raw))
            return
        n += 1
        if want.typed:
            try:
                fields = judge.row(fields, want.table)
            except judge.Misfit as e:
                tally.check(name + ": prints values of the type", False,
                            "%s: %s: %.200r" % (e.column, e, raw))
                return
        given.update((c, judge.row_text({c: fields.pop(c)})) for c in want.filled if c in fields)
        d = judge.digest(fields)
        got[d] += 1
        if d not in want.rows and len(extra) < 3:
            extra[d] = judge.row_text(fields)
    if not tally.check(name + ": same rows", got == want.rows,
                       "%d of %d rows missing, %d not expected: %s" % (
            sum((want.rows - got).values()), want.nrows, sum((got - want.rows).values()),
            " / ".join(t[:1500] for t in extra.values()))):
        return
    tally.check(name + ": values beside defaults", not want.given - given,
                str(list((want.given - given))[:3]))


def compare_rejects(tally, name, want, path):
    """The reject file against the lines that had to be rejected."""
    got = {}
    for line in path.read_bytes().splitlines() if path.exists() else []:
        record = json.loads(line)
        number = record["line"]
        offset, raw = want.lines.get(number, (None, b""))
        ok = record["offset"] == offset and record["reason"] and number not in got
        if ok and "raw_base64" in record:
            ok = base64.b64decode(record["raw_base64"]) == raw and not valid_utf8(raw)
        elif ok:
            ok = valid_utf8(raw) and record["raw"] == raw.decode()
        if not ok:
            tally.check(name + ": reject record", False,
                        "line %d is %.150r, record %.300r" % (number, raw, line))
            return
        got[number] = record["reason"]
    missed, surplus = set(want.bad) - set(got), set(got) - set(want.bad)
    tally.check(name + ": the right rejects", not missed and not surplus,
                "not rejected: %s; rejected: %s" % (
        [want.lines[n][1][:200] for n in sorted(missed)[:3]],
        [(got[n], want.lines[n][1][:300]) for n in sorted(surplus)[:3]]))


def valid_utf8(raw):
    try:
        raw.decode()
        return True
    except ValueError:
        return False


def compare(tally, name, stream, data, ran, typed):
    account = ran.account()
    if not tally.check(name + ": evappend gives account", account is not None,
                       "exit %d: %.500s" % (ran.status, ran.err.decode(errors="replace"))):
        return
    table = list(judge.tables((stream / "schema.sql").read_text()).values())[0]
    want = Expected(data, table, typed)
    if not typed:  # an inferred schema may refuse for the columns it stands on, and for no others
        surplus = {c for c in want.bad.values() if c and not pinned(stream, c)}
        tally.check(name + ": only time, tenant and key reject", not surplus, surplus)
    tally.check(name + ": account balances", account["in"] == account["stored"] +
                account["duplicate"] +
                account["rejected"], account)
    tally.equal(name + ": in, stored, duplicate, rejected",
                [account[k] for k in ("in", "stored", "duplicate", "rejected")],
                [len(want.lines), want.nrows, 0, len(want.bad)])
    tally.equal(name + ": exit status", ran.status, 1 if want.bad else 0)
    compare_rejects(tally, name, want, stream / "rejects.ndjson")
    out = evtools.cat(stream)
    tally.check(name + ": evcat is content", out.status == 0 and not out.err,
                "exit %d: %.500r" % (out.status, out.err))
    compare_rows(tally, name, want, out.out)


def pinned(stream, column):
    tail = (stream / "schema.sql").read_text().rpartition("ENGINE")[2]
    return re.search(r"\b%s\b" % re.escape(column), tail) is not None


def declared(table):
    """(schema file, name of the stream) for a table of the generator."""
    name, beside = STREAMS.get(table, (table, table))
    for path in sorted((evtools.ROOT / "corpus/systems").glob("*/schema.sql")):
        found = judge.tables(path.read_text())
        if name in found and beside in found:
            return path, name
    return None, name


def one_table(table, rows, dirt):
    tally = Tally()
    data = evtools.generate(table, rows, *(["--dirty", ".05", "--dup", ".05"] if dirt else []))
    kind = "%s, %s" % (table, "dirty" if dirt else "clean")
    with Scratch("trip", tally=tally) as tmp:
        source = tmp / "in.ndjson"
        source.write_bytes(data)
        schema, name = declared(table)
        if tally.check(kind + ": corpus/systems has its schema", schema is not None):
            made = evtools.run([evtools.tool("evschema"), "-q", "apply", tmp / "store", schema])
            if tally.check(kind + ": schema applies", made.status == 0,
                           made.err.decode(errors="replace")[:500]):
                stream = tmp / "store" / name
                compare(tally, kind + ", declared", stream, data, evtools.append(stream, source),
                        True)
        stream = tmp / "guess" / table
        compare(tally, kind + ", inferred", stream, data, evtools.append(stream, source), False)
    return tally


def one_set(path, rows):
    tally = Tally()
    data = evtools.unpack(path)
    with Scratch("trip", tally=tally) as tmp:
        source = path
        if rows:
            data = b"".join(data.splitlines(True)[:rows])
            source = tmp / "in.ndjson"
            source.write_bytes(data)
        stream = tmp / "store" / "set"
        ran = evtools.append(stream, source)
        compare(tally, path.name, stream, data, ran, False)
        notes = ran.err.decode(errors="replace")
        tally.check(path.name + ": says what it took for time and tenant",
                    "time" in notes and "tenant" in notes, notes)
        tally.check(path.name + ": says the types", "types" in notes, notes)
    return tally


SPOILERS = [lambda line: line + b"#mend",
            lambda line: b"#mend" + line,
            lambda line: line[:1] + b"#mend" + line[1:],
            lambda line: line[:-1] + b"#mend" + line[-1:]]


def mended(rows):
    """Lines are spoilt, rejected, mended with the tools everybody has, and sent again."""
    tally = Tally()
    clean = evtools.generate("task_events", rows).splitlines()
    spoilt = [SPOILERS[i // 20 % 4](line) if i % 20 == 0 else line for i, line in enumerate(clean)]
    with Scratch("trip", tally=tally) as tmp:
        stream, bad = tmp / "store/t", tmp / "bad.ndjson"
        first = evtools.append(stream, "--rejects", str(bad), data=b"\n".join(spoilt) + b"\n")
        tally.equal("mended: rejected at first", first.account()["rejected"], len(clean[::20]))
        again = evtools.run(["sh", "-c", "jq -r .raw %s | sed 's/#mend//' | %s --stats=json %s" % (
            bad, evtools.tool("evappend"), stream)])
        tally.equal("mended: exit status of the replay", again.status, 0)
        tally.equal("mended: stored by the replay", again.account()["stored"], len(clean[::20]))
        got = Counter(judge.digest(judge.read_line(x)[1])
                      for x in evtools.cat(stream).out.splitlines())
        want = Counter(judge.digest(judge.read_line(x)[1]) for x in clean)
        tally.check("mended: the store is complete", got == want, sum((want - got).values()))
    return tally


def main():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=100000)
    p.add_argument("--quick", action="store_true", default=evtools.QUICK,
                   help="1,500 rows of each; the default in make check")
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("names", nargs="*", help="tables or sets; all when none is named")
    args = p.parse_args()
    rows = 1500 if args.quick else args.rows
    for name in ("evschema", "evappend", "evcat"):
        evtools.tool(name)
    if not evtools.data_dir():
        print("skipped: no shared data (EVSEG_DATA): its sets and generator's tables")
        sys.exit(77)
    sets = sorted(evtools.data_dir().glob("*.ndjson.zst"))
    work = [(one_table, t, rows, dirt) for t in TABLES for dirt in (False, True)]
    work += [(one_set, s, rows if args.quick else None) for s in sets]
    work += [(mended, min(rows, 20000))]
    if args.names:
        work = [w for w in work if any(n in str(w[1]) for n in args.names)]
    total = Tally()
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        for tally in [pool.submit(*w) for w in work]:
            t = tally.result()
            total.passed += t.passed
            total.failed += t.failed
            total.skipped += t.skipped
    total.done()


if __name__ == "__main__":
    main()
