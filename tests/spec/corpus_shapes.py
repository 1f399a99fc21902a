"""Golden files for make_corpus.py: files by their commits, schemas, sources, "
  "partitions and tenants."""

import random
import uuid

from corpus_store import CASES, WEEK, at, case


@case
def one_row(s):
    s.schema("CREATE TABLE jobs (id UInt32, name String, ts DateTime NOT NULL) " + WEEK)
    s.append([{"id": 7, "name": "first", "ts": "2024-01-03T10:20:30Z"}])


@case
def three_rows(s):
    """One commit of three rows, packed; the base of most of corpus/bad."""
    s.schema("CREATE TABLE t (id UInt32, name String, ts DateTime NOT NULL) " + WEEK)
    s.append([{"id": 1, "name": "a", "ts": at(1)}, {"id": 2, "ts": at(2)},
              {"id": 300, "name": "ccc", "ts": at(3)}])


@case
def three_commits(s):
    """Three commits of one row each."""
    s.schema("CREATE TABLE t (id UInt32, ts DateTime NOT NULL) " + WEEK)
    for i in range(3):
        s.append([{"id": i, "ts": at(i)}])


@case
def many_commits(s):
    """More than two times 64 commits: INDEX frames, the last with a reference of level 1."""
    s.schema("CREATE TABLE t (ts DateTime NOT NULL) " + WEEK)
    s.append([{"ts": at(i)} for i in range(131)], "--flush-rows", "1")


@case
def indexed_sources(s):
    """An INDEX that names sources, one of which moves on behind it."""
    s.schema("CREATE TABLE t (ts DateTime NOT NULL) " + WEEK)
    s.append([{"ts": at(i)} for i in range(60)], "--flush-rows", "1", "--source", "early")
    s.append([{"ts": at(i)} for i in range(60, 67)], "--flush-rows", "1", "--source", "late")


@case
def two_sources(s):
    s.schema("CREATE TABLE t (n Int32, ts DateTime NOT NULL) " + WEEK)
    s.append([{"n": 1, "ts": at(1)}, {"n": 2, "ts": at(2)}], "--source", "feed-b")
    s.append([{"n": 3, "ts": at(3)}], "--source", "feed-a")
    s.append([{"n": 4, "ts": at(4)}], "--source", "fee\u00e9")


@case
def columns_apart(s):
    """A group with a block for each column, some of them null throughout, and zstd."""
    r = random.Random(1)
    s.schema("CREATE TABLE logs (id UUID, level Enum('DEBUG' = 10, 'INFO' = 20, 'ERROR' = 40), "
             "message String, "
             "never Nullable(Int32), host LowCardinality(String), attributes Map(String, String), "
             "ts DateTime64(3) NOT NULL) " + WEEK)
    words = ("connection refused by peer while reading response header from upstream request "
             "timed out").split()
    s.append([{"id": str(uuid.UUID(int=r.getrandbits(128), version=4)),
               "level": r.choice(["DEBUG", "INFO", "ERROR"]),
               "message": " ".join(r.choice(words) for _ in range(r.randrange(3, 12))),
               "host": "web-%d.example.net" % r.randrange(6),
               "attributes": {"region": r.choice(["eu", "us"]), "try": str(r.randrange(3))},
               "ts": at(i * 11, digits=3)} for i in range(700)])


@case
def several_groups(s):
    """Commits of several groups, with more rows than one group of the writer holds when it is told
    to be small."""
    s.schema("CREATE TABLE t (k String, v Float64, ts DateTime NOT NULL) " + WEEK)
    s.append([{"k": "k%d" % (i % 5), "v": i / 8, "ts": at(i * 37 % 5000)} for i in range(400)],
             "--flush-rows", "150")


@case
def schema_change(s):
    """SCHEMA frames: columns gained (with and without DEFAULT), wider types, enum items."""
    s.schema("CREATE TABLE c (a Int8, b Int32, e Enum('x' = 1), d Decimal(5, 2), w Decimal(9, "
             "3), dt Date, t DateTime64(3), "
             "f Float32, fs FixedString(3), u UUID, n Array(Int8), m Map(String, Int16), "
             "bo Bool, us UInt32, ts DateTime NOT NULL) "
             + WEEK)
    old = {"a": -5, "b": 7, "e": "x", "d": 1.5, "w": -2.125, "dt": "2024-01-01",
           "t": "2024-01-01T00:00:00.123Z", "f": 0.1,
           "fs": "ab", "u": "00000000-0000-4000-8000-000000000001", "n": [1, -1], "m": {"k": -2},
           "bo": True,
           "us": 4000000000, "ts": at(0)}
    s.append([old, {"ts": at(1)}])
    s.schema("CREATE TABLE c (a Int64, b Float64, e Enum('x' = 1, 'y' = 2), d Decimal(20, 4), "
             "w Decimal(12, 5), dt String, "
             "t DateTime64(6), f Float64, fs FixedString(8), u String, n Array(Int32), "
             "m Map(String, Int64), bo JSON, us Int64, "
             "ts DateTime64(3) NOT NULL, nw Int32 DEFAULT 7, "
             "nx String NOT NULL DEFAULT 'hello', ny String) " + WEEK)
    new = {"a": 1 << 40, "b": 7.5, "e": "y", "d": 1.5001, "w": 3, "dt": "someday",
           "t": "2024-01-01T00:00:00.123456Z",
           "f": 0.1, "fs": "abcdefgh", "u": "no uuid", "n": [100000], "m": {"k": 1 << 40},
           "bo": [True], "us": -1,
           "ts": "2024-01-01T00:00:02.500Z", "ny": ""}
    s.append([new, {"ts": at(3)}])
    s.schema("CREATE TABLE c (a String, b JSON, e String, d String, w JSON, dt String, "
             "t String, f String, fs String, u JSON, "
             "n JSON, m JSON, bo JSON, us String, ts DateTime64(6) NOT NULL, nw Decimal(20, "
             "1) DEFAULT 7, nx JSON NOT NULL "
             "DEFAULT '\"hello\"', ny JSON, more Array(String) DEFAULT ['p', 'q'], "
             "neg Float64 DEFAULT -1.5) " + WEEK)
    s.append([{"a": "", "nx": {}, "ts": at(4)}])


@case
def compressed_schema(s):
    """A schema text that is stored compressed, with comments, an index and a view in it."""
    names = ", ".join("column_number_%d Nullable(String) COMMENT 'the text that came as number "
                      "%d'" % (i, i) for i in range(40))
    s.schema(f"-- A wide table.\nCREATE TABLE IF NOT EXISTS wide ({names},\n"
             "  /* the time */ ts DateTime NOT NULL,\n"
             "  INDEX i column_number_3 TYPE bloom_filter GRANULARITY 1,\n"
             "  CONSTRAINT c CHECK column_number_1 != 'never'\n) " +
             WEEK.replace("ORDER BY ts", "ORDER BY (toDate(ts), ts)") +
             " TTL ts + INTERVAL 90 DAY SETTINGS index_granularity = 8192;\n"
             "CREATE INDEX j ON wide (column_number_4);\n")
    s.append([{"column_number_%d" % (i * 3 % 40): "v%d" % i, "ts": at(i)} for i in range(10)])


@case
def odd_ddl(s):
    """Types, quoting and comments of both dialects."""
    s.schema("""CREATE TYPE "My Mood" AS ENUM ('sad', 'ok''ay');
CREATE TYPE mood AS ENUM ('x','y');
/* a /* nested */ comment ) */
#! and another
CREATE TABLE odd ( "a""b" int8 DEFAULT 3, `c\\`d` Int8, m mood, mm "My Mood",
  t text DEFAULT E'it\\'s', -- with , and )
a.b Int32 unsigned, fl float(30), v varchar(3) check (length(v) < 3),
  i json default '{"a": 1}'::json, ts timestamptz NOT NULL,
) PARTITION BY RANGE (date_trunc('week', ts));
""")
    s.append(['{"ts":"2024-01-01","m":"y","mm":"ok\'ay","a.b":4}',
              '{"ts":"2024-01-01","m":"x","fl":0.1,"a\\"b":-9,"c`d":-1}'])


# ---- partitions and tenants ---------------------------------------------------------------------


@case
def month(s):
    s.schema("CREATE TABLE t (n Int8, "
             "ts DateTime NOT NULL) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY ts")
    s.append([{"n": 1, "ts": "2024-02-29T23:59:59Z"}, {"n": 2, "ts": "2024-02-01T00:00:00Z"}])


@case
def filters(s):
    """Columns of the key and with an index, in groups that are large enough for filters."""
    s.schema(
        "CREATE TABLE t (id UUID, n Int32, word Nullable(String), kind Enum('a' = -1, 'b' = 2), f Float64, "
        "ts DateTime NOT NULL, INDEX i word TYPE bloom_filter) ENGINE = MergeTree PARTITION BY toMonday(ts) "
        "ORDER BY (n, id, kind, ts)")
    for part in range(3):
        s.append([{
            "id": "%08x-0000-4000-8000-%012x" % (i * 7919, part), "n": i * part // 3 - 100,
            "word": None if i % 5 == 0 else "word %d" % (i % 97), "kind": "ab"[i % 2], "f": i / 4,
            "ts": at(i)
        } for i in range(600)])


@case
def day(s):
    s.schema("CREATE TABLE t (n Int8, "
             "ts DateTime64(9) NOT NULL) ENGINE = MergeTree PARTITION BY toDate(ts) ORDER BY ts")
    s.append([{"n": 1, "ts": "1969-12-31T23:59:59.999999999Z"},
              {"n": 2, "ts": "1969-12-31T00:00:00Z"}])


@case
def first_year(s):
    """Times in front of what nanoseconds since 1970 can say."""
    s.schema("CREATE TABLE t (n Int8, ts DateTime NOT NULL) " + WEEK)
    s.append([{"n": 1, "ts": "0000-01-03T00:00:00Z"}, {"n": 2, "ts": "0000-01-09T23:59:59Z"}])


@case
def last_year(s):
    s.schema("CREATE TABLE t (n Int8, "
             "ts DateTime64(3) NOT NULL) ENGINE = MergeTree PARTITION BY toYYYYMM(ts) ORDER BY ts")
    s.append([{"n": 1, "ts": "9999-12-31T23:59:59.999Z"}, {"n": 2, "ts": "9999-12-01T00:00:00Z"}])


@case
def arrival_time(s):
    """No time in the schema: the hidden column _time."""
    s.append([{"b": "x", "a": 1}, {"a": 2, "later": [None]}, {"b": "y"}], stream="inferred")


@case
def text_time(s):
    """The time of a row is a text, and a number."""
    s.append([{"when": "2024-01-01 00:00:%02d" % i, "v": i} for i in range(5)], "--time", "when",
             stream="texts")


@case
def number_time(s):
    s.append([{"start_ns": 1704067200000000000 + i * 1234567890, "v": "s%d" % i} for i in range(5)],
             "--time", "start_ns", stream="numbers")


def tenant_case(name, value, kind="String"):
    def make(s):
        s.schema(f"CREATE TABLE t (who {kind}, ts DateTime NOT NULL) ENGINE = MergeTree "
                 "PARTITION BY (who, toMonday(ts)) ORDER BY ts")
        s.append([{"who": value, "ts": at(1)}, {"who": value, "ts": at(2)}])
    CASES["tenant-" + name] = make


tenant_case("dots", "..")
tenant_case("slash", "../../etc/passwd\n\u0000%")
tenant_case("empty", "")
tenant_case("emoji", "caf\u00e9 \U0001f600 \u202e")
tenant_case("long", "long " + "x" * 4000)
tenant_case("number", -5, "Int16")
tenant_case("uuid", "44BFFBF3-5530-4378-94F3-0C85DC719159", "UUID")
tenant_case("enum", "it's \\ \"one\"", "Enum('it\\'s \\\\ \"one\"' = -3)")
