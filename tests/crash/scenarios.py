"""What is recorded and crashed: a table, to which a later tool is added by an entry.

An entry is the command, what holds before, and what must hold whenever power is lost: all rows
that were there (but for those that it is to remove, `goes`) and all that were acknowledged stand,
others that the command was given may, and nothing else does. `schema.sql` is as it was before, or
as some rename put it, and the last one once the command has ended well.
"""

import datetime
import json

DDL = """CREATE TABLE t (n UInt64, tenant String, at DateTime64(3), text Nullable(String))
ENGINE = MergeTree PARTITION BY (tenant, toMonday(at)) ORDER BY (n);
"""
SERIAL_DDL = DDL.replace("(n UInt64", "(id BIGSERIAL, n UInt64")
FILTER_DDL = DDL.replace("text Nullable(String)",
                         "text Nullable(String), INDEX words text TYPE bloom_filter")
WIDER_DDL = DDL.replace("text Nullable(String)", "text Nullable(String), more Nullable(Int64)")
ROLLUP_DDL = DDL + """CREATE MATERIALIZED VIEW v AS
SELECT tenant, count() AS c FROM t GROUP BY tenant;
"""
TWO_DDL = DDL + DDL.replace("TABLE t", "TABLE u")
STREAM = "store/t"
ARCHIVE = "archive"
TENANTS = ("a", "b", "c")


def row(n, tenant=0, week=0, width=40, **more):
    day = datetime.date(2025, 1, 6) + datetime.timedelta(days=7 * week + n % 7)
    return {"n": n, "tenant": TENANTS[tenant], "at": "%sT10:20:30.%03dZ" % (day, n % 1000 + 1),
            "text": noise(n, width), **more}


def noise(n, width):
    """Text that does not compress, so that a row fills sectors."""
    out = ""
    while len(out) < width:
        n = (n * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out += "%013x" % (n >> 12)
    return out[:width]


def lines(*rows):
    return b"".join((r if isinstance(r, str) else json.dumps(r)).encode() + b"\n" for r in rows)


def rows(first, count, partitions=1, width=40, **more):
    """`count` rows over partitions: (tenant, week) = (0, 0), (1, 0), (1, 1), (2, 0) ..."""
    places = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (0, 2)]
    return [row(n, *places[n % partitions], width, **more) for n in range(first, first + count)]


def segment(r):
    """The path of the segment that a row belongs to."""
    day = datetime.date.fromisoformat(r["at"][:10])
    monday = day - datetime.timedelta(days=day.weekday())
    return "%s/%s/%s.evs" % (STREAM, r["tenant"], monday)


class Step:
    """A command in the folder of the store, with its input."""

    def __init__(self, tool, *args, data=b"", status=0):
        self.tool, self.args, self.data, self.status = tool, args, data, status


def append(*some, args=(), status=0):
    return Step("evappend", "--ack", *args, STREAM, data=lines(*some), status=status)


def expire(*args):
    """The week of 6 January 2025 goes."""
    return Step("evexpire", "-q", *(args or ("--older-than", "2025-01-13")), STREAM)


def first_week(*some):
    """Numbers of the rows that go with it."""
    return {r["n"] for r in some if r["at"] < "2025-01-13"}


def apply(ddl):
    return Step("evschema", "apply", "store", "-", data=ddl.encode())


def compact(*args):
    return Step("evcompact", "-q", "--all", *args, STREAM)


class Tear:
    """Cuts or spoils the only segment as a crash may have, without a command."""

    def __init__(self, keep, zero=None):
        self.keep, self.zero = keep, zero  # bytes of the end that are lost; sector that is zero

    def change(self, data):
        data = data[:len(data) - self.keep] if self.keep else data
        if self.zero is not None:
            at = (len(data) // 512 + self.zero) * 512
            data = data[:at] + b"\0" * min(512, len(data) - at) + data[at + 512:]
        return data


class Scenario:
    """`before` is done undisturbed; `run` is recorded, and power fails in it. After a crash `run`
    is given again when `again`, then rows come for each of the partitions; then the store must be
    whole. With `replaces` a command puts other files in the place of segments. With `killed` that
    command runs first and is killed (the machine goes on) in every place in turn, and power fails
    in `run`. What is `quick` runs in `make check`. `frame`: a type of frame that `run` must write.
    """

    def __init__(self, name, before, run, again=False, partitions=1, goes=(), killed=None,
                 quick=False, replaces=False, frame=None):
        self.replaces, self.frame = replaces, frame
        self.name, self.before, self.run, self.again = name, before, run, again
        self.partitions, self.goes = partitions, frozenset(goes)
        self.killed, self.quick = killed, quick
        self.expires = "evexpire" in [run.tool, killed.tool if killed else ""]


WIDE = 900  # bytes of a row that fills two sectors
# Types of frames (spec/segment.md 3.2).
INDEX, SCHEMA, ROLLUP, FILTER = 4, 5, 7, 8
METRICS = Step("evstat", "-q", "--now", "2025-02-01T00:00:00Z", "--prometheus", "m.prom", "store")
BAD = '{"n": 1000, "tenant": "a", "at": 17, broken'
SOURCE = ("--source", "in")

SCENARIOS = [
    Scenario("one segment", [apply(DDL)], append(*rows(0, 6, 1, WIDE)), quick=True),
    Scenario("many segments", [apply(DDL)], append(*rows(0, 12, 6))),
    Scenario("store made by inference", [], append(*rows(0, 6, 2)), partitions=2),
    Scenario("second append", [apply(DDL), append(*rows(0, 3))],
             append(*rows(10, 5, 1, WIDE)), quick=True),
    Scenario("second append, many segments", [apply(DDL), append(*rows(0, 12, 6))],
             append(*rows(12, 12, 6, 300)), partitions=6),
    Scenario("many commits", [apply(DDL)],
             append(*rows(0, 12, 2, 100), args=("--flush-rows", "2")), partitions=2),
    Scenario("a commit of 60 KiB", [apply(DDL), append(*rows(0, 1))],
             append(*rows(10, 12, 1, 5000))),
    Scenario("append with SCHEMA frame", [apply(DDL), append(*rows(0, 3)), apply(WIDER_DDL)],
             append(*rows(10, 3, 1, WIDE, more=7)), frame=SCHEMA),
    Scenario("append with INDEX frame",
             [apply(DDL), append(*rows(0, 64), args=("--flush-rows", "1"))],
             append(*rows(64, 3, 1, 600), args=("--flush-rows", "1")), frame=INDEX),
    Scenario("append with FILTER frames", [apply(FILTER_DDL), append(*rows(0, 3))],
             append(*rows(10, 600, 1, 8)), frame=FILTER),
    Scenario("append with ROLLUP frame", [apply(ROLLUP_DDL), append(*rows(0, 3))],
             append(*rows(10, 70, 1, 40)), frame=ROLLUP),
    Scenario("source", [apply(DDL)],
             append(*rows(0, 12, 2, 200), args=(*SOURCE, "--flush-rows", "3")), again=True,
             partitions=2),
    Scenario("source, widened schema", [append(*rows(0, 3, v=1), args=SOURCE)],
             append(*rows(0, 3, v=1), *rows(3, 2, v=2), *rows(5, 2, v=2.5), *rows(7, 1, v="x"),
                    args=SOURCE), again=True),
    Scenario("rejects", [apply(DDL), append(*rows(0, 2), BAD, status=1)],
             append(row(3), BAD + "x" * 700, row(4), BAD + "y" * 400, BAD, row(5),
                    args=("--flush-rows", "1"), status=1), quick=True),
    Scenario("rejects with a source", [apply(DDL)],
             append(row(3), BAD + "x" * 700, row(4), BAD + "y" * 1400, BAD + "z", row(5),
                    args=(*SOURCE, "--flush-rows", "1"), status=1), again=True),
    Scenario("serial column", [apply(SERIAL_DDL), append(*rows(0, 3))],
             append(*rows(3, 4, 2), args=("--flush-rows", "2")), partitions=2),
    Scenario("recovery of a tail", [apply(DDL), append(*rows(0, 2)), append(*rows(2, 3, 1, WIDE)),
                                    Tear(900)],
             append(*rows(10, 2, 1, 500)), quick=True),
    Scenario("recovery of a torn commit",
             [apply(DDL), append(*rows(0, 2)), append(*rows(2, 6, 1, WIDE)), Tear(0, -3)],
             append(*rows(10, 2, 1, 500))),
    Scenario("recovery of a cut trailer",
             [apply(DDL), append(*rows(0, 2)), append(*rows(2, 3, 1, WIDE)), Tear(40)],
             append(*rows(10, 2, 1, 500))),
    Scenario("schema applied", [], apply(TWO_DDL), again=True),
    Scenario("schema changed", [apply(DDL), append(*rows(0, 3, 2))], apply(WIDER_DDL), again=True,
             partitions=2),
    Scenario("killed, then an append", [apply(DDL), append(*rows(0, 2))],
             append(*rows(10, 2, 1, 500)), killed=append(*rows(2, 3, 1, WIDE))),
    Scenario("killed in a new segment, then an append", [apply(DDL)],
             append(*rows(10, 2, 1, 500)), killed=append(*rows(2, 3, 1, 100))),
    Scenario("killed in recovery, then an append",
             [apply(DDL), append(*rows(0, 2)), append(*rows(2, 3, 1, WIDE)), Tear(900)],
             append(*rows(20, 2, 1, WIDE)), killed=append(*rows(10, 2, 1, 500))),
    Scenario("killed making the store, then an append", [],
             append(*rows(10, 2, 1, 100)), killed=append(*rows(2, 2, 1, 100))),
    Scenario("killed with a source, then it again", [apply(DDL)],
             append(*rows(0, 2), BAD + "x" * 700, *rows(2, 2), args=SOURCE, status=1), again=True,
             killed=append(*rows(0, 2), BAD + "x" * 700, *rows(2, 2), args=SOURCE, status=1)),
    Scenario("killed with a source, then it again, to a segment that was there",
             [apply(DDL), append(*rows(5, 2))],
             append(*rows(0, 2), *rows(2, 2), args=SOURCE), again=True,
             killed=append(*rows(0, 2), *rows(2, 2), args=SOURCE)),
    Scenario("killed with serial numbers, then an append", [apply(SERIAL_DDL), append(*rows(0, 2))],
             append(*rows(5, 2)), killed=append(*rows(2, 2))),
    Scenario("killed applying a schema, then it again", [], apply(DDL), killed=apply(DDL),
             again=True),
    Scenario("killed changing a schema, then an append",
             [apply(DDL), append(*rows(0, 3)), append(row(3))],
             append(*rows(5, 2, more=7)), killed=apply(WIDER_DDL)),
    Scenario("compaction", [apply(DDL), append(*rows(0, 3, 1, WIDE)), append(*rows(3, 3, 1, 300))],
             compact(), again=True, replaces=True, quick=True),
    Scenario("compaction of many segments",
             [apply(DDL), append(*rows(0, 12, 3), args=(*SOURCE, "--flush-rows", "4"))],
             compact(), again=True, replaces=True, partitions=3),
    Scenario("compaction once more",
             [apply(DDL), append(*rows(0, 4)), compact(), append(*rows(4, 4, 1, 300))],
             compact("--level", "3"), again=True, replaces=True),
    Scenario("compaction of a torn end",
             [apply(DDL), append(*rows(0, 2)), append(*rows(2, 3, 1, WIDE)), Tear(900)],
             compact(), again=True, replaces=True),
    Scenario("append to a compacted segment",
             [apply(DDL), append(*rows(0, 4)), append(*rows(4, 4)), compact()],
             append(*rows(10, 4, 1, WIDE))),
    Scenario("killed compacting, then an append",
             [apply(DDL), append(*rows(0, 2)), append(*rows(2, 2))],
             append(*rows(10, 2, 1, 500)), killed=compact(), replaces=True),
    Scenario("killed compacting, then compacted",
             [apply(DDL), append(*rows(0, 2)), append(*rows(2, 2))],
             compact(), killed=compact(), again=True, replaces=True),
    Scenario("partitions expire", [apply(DDL), append(*rows(0, 12, 6, 200))], expire(), again=True,
             partitions=6, goes=first_week(*rows(0, 12, 6)), quick=True),
    Scenario("a second time", [apply(DDL), append(*rows(0, 6, 1)), expire(),
                               append(*rows(6, 6, 6, 200))], expire(), again=True,
             partitions=6, goes=first_week(*rows(6, 6, 6))),
    Scenario("a tenant expires with a tail",
             [apply(DDL), append(*rows(0, 2)), append(*rows(2, 3, 1, WIDE)), Tear(900),
              append(*rows(5, 2))],
             expire("--tenant", "a", "--all", "--yes"), again=True, goes={0, 1, 5, 6}),
    Scenario("a partition is archived", [apply(DDL), append(*rows(0, 6, 3, 200))],
             expire("--older-than", "2025-01-13", "--archive-to", ARCHIVE), again=True,
             partitions=3, goes=first_week(*rows(0, 6, 3))),
    Scenario("what a tenant keeps", [apply(DDL), append(*rows(0, 4, 2)),
                                     expire("--tenant", "a", "--keep", "forever")],
             expire("--tenant", "b", "--keep", "forever"), again=True, partitions=2),
    Scenario("what can be read is saved",
             [apply(DDL), append(*rows(0, 2)), append(*rows(2, 3, 1, WIDE))],
             Step("evcheck", "-q", "--salvage", "saved.evs", segment(row(0)))),
    Scenario("metrics are replaced",
             [apply(DDL), append(*rows(0, 2)), METRICS, append(*rows(2, 2))], METRICS),
    Scenario("killed while partitions expire, then an append",
             [apply(DDL), append(*rows(0, 12, 6, 100))], append(*rows(12, 6, 6, 100)),
             killed=expire(), partitions=6, goes=first_week(*rows(0, 12, 6))),
    Scenario("killed while partitions expire, then it again",
             [apply(DDL), append(*rows(0, 6, 3, 100))], expire(), again=True, killed=expire(),
             partitions=3, goes=first_week(*rows(0, 6, 3))),
]
