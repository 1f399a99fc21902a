"""Golden segments that took another file's place (spec/store.md 5.1)."""

from corpus_store import WEEK, at, case

KEYED = ("CREATE TABLE t (id UInt32, name String, note Nullable(String), "
         "ts DateTime64(3) NOT NULL, INDEX names name TYPE bloom_filter) "
         "ENGINE = MergeTree PARTITION BY toMonday(ts) ORDER BY (name, id)")


def rows(first, n, step=1):
    return [{"id": i * step % 1009, "name": "name %d" % (i % 37), "ts": at(i, digits=3),
             **({"note": "n%d" % i} if i % 3 else {}), **({"left": [i]} if i % 50 == 0 else {})}
            for i in range(first, first + n)]


def compact(s):
    s.run("evcompact", "-q", "--all", "st")


@case
def compacted(s):
    """Six commits of as many sources become one."""
    s.schema(KEYED)
    for k in range(6):
        s.append(rows(300 * k, 300, 7), "--source", "in %d" % k)
    compact(s)


@case
def compacted_and_appended(s):
    """Twice, and commits of a wider schema behind it."""
    s.schema(KEYED)
    s.append(rows(0, 900, 5), "--flush-rows", "90")
    compact(s)
    s.append(rows(900, 300, 11), "--flush-rows", "100")
    compact(s)
    s.schema(KEYED.replace("note Nullable(String)", "note Nullable(String), more Nullable(Int8)"))
    s.append([{**r, "more": -1} for r in rows(1200, 5)])
    s.append(rows(1205, 70))


@case
def compacted_kept(s):
    """Fields that became columns: those that fit them, and one that does not and stays in
    _extra."""
    s.schema("CREATE TABLE t (n Int32, ts DateTime NOT NULL) " + WEEK)
    s.append([{"n": 1, "ts": at(1), "later": 5}, {"n": 2, "ts": at(3), "later": "five"}])
    s.append([{"n": 3, "ts": at(2)}])
    s.schema("CREATE TABLE t (n Int64, later Nullable(Int16), ts DateTime NOT NULL) " + WEEK)
    compact(s)


@case
def compacted_rollup(s):
    """A materialized view that came after the rows."""
    s.schema(KEYED)
    s.append(rows(0, 400), "--flush-rows", "200")
    s.schema(KEYED + ";\nCREATE MATERIALIZED VIEW v AS SELECT name, count() AS n, max(id) AS m "
             "FROM t GROUP BY name")
    compact(s)
