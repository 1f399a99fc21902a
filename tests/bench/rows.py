"""What the benches measure on: the tables of gen_seed_events.py, or what the repository makes
itself, and the event sets beside it."""

import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "roundtrip")]
import evtools
import judge

FULL = {"task_events": 2000000, "llm_events": 300000, "service_logs": 1000000,
        "service_metrics": 2000000, "workflow_events": 500000}
TABLES = ["task_events", "llm_events", "service_logs", "service_metrics", "workflow_events",
          "tasks", "tool_calls", "agent_steps",
          "service_status", "mbflow_events", "node_executions"]
STREAMS = {"llm_events": ("events", "tool_calls"), "mbflow_events": ("events", "node_executions")}
MB = 10**6


def say(*text):
    print(*text, file=sys.stderr, flush=True)


def sets():
    """Real events, without a schema: their names and packed files."""
    folder = evtools.data_dir()
    return {p.name.split(".")[0]: p for p in sorted(folder.glob("*.ndjson.zst"))} if folder else {}


def schema_of(table):
    """Its file, the stream's name, and the table as judge.py reads it; (None, name, None) for a
    set, whose schema is inferred."""
    if table in sets():
        return None, table, None
    name, beside = STREAMS.get(table, (table, table))
    for path in sorted((evtools.ROOT / "corpus/systems").glob("*/schema.sql")):
        found = judge.tables(path.read_text())
        if name in found and beside in found:
            return path, name, found[name]
    sys.exit("corpus/systems has no schema for %s" % table)


def generate(table, rows, shape, f):
    """Rows into a file; where gen_seed_events.py is missing, those that the repository makes."""
    command = [HERE.parent / "gen_rows.py"]
    if evtools.data_dir():
        command = [evtools.data_dir() / "gen_seed_events.py", "--table", table]
    command += ["--rows", rows, "--seed", 7, *shape]
    subprocess.run([sys.executable, *map(str, command)], stdout=f, check=True)


def make_file(path, fill):
    """A file that is whole or not there."""
    part = path.with_suffix(".part")
    with open(part, "wb") as f:
        fill(f)
    part.rename(path)
    return path


def source_of(table, rows, folder, given):
    """The table's NDJSON: one that was given, one that is there, or a new one."""
    if table in given:
        return Path(given[table])
    packed = sets().get(table)
    path = folder / (table + ".ndjson" if packed else "%s-%d.ndjson" % (table, rows))
    if path.exists():
        return path
    if packed:
        return make_file(path,
                         lambda f: subprocess.run(["zstd", "-dcq", packed], stdout=f, check=True))
    say("generating %s ..." % path.name)
    shape = ["--start", "2025-01-01T00:00:00", "--weeks", "4"]
    if table == "task_events":
        shape = ["--tenants", "50", "--weeks", "8"]
    return make_file(path, lambda f: generate(table, rows, shape, f))


def warm(path):
    with open(path, "rb") as f:
        while f.read(1 << 20):
            pass


def count_lines(path):
    with open(path, "rb") as f:
        return sum(piece.count(b"\n") for piece in iter(lambda: f.read(1 << 20), b""))


def disk_size(folder, pattern="*"):
    return sum(p.stat().st_size for p in Path(folder).rglob(pattern) if p.is_file())


def best(runs):
    """The fastest of some measured runs, with the largest memory of them."""
    bad = next((r for r in runs if r.status), None)
    if bad:
        sys.exit("exit %d: %s" % (bad.status, bad.err.decode(errors="replace")[-500:]))
    fastest = min(runs, key=lambda r: r.seconds)
    fastest.peak_kib = max(r.peak_kib for r in runs)
    return fastest


# ---- telling it ----------------------------------------------------------------------------------

def table_text(head, rows):
    cells = [head] + [[x if isinstance(x, str) else "-" if x is None else "%.1f" % x
                       if x < 100 else "{:,.0f}".format(x) for x in r] for r in rows]
    widths = [max(len(r[i]) for r in cells) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i,
                       (c, w) in enumerate(zip(r, widths))) for r in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths)] + lines[1:])
