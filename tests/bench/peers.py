"""ClickHouse and DuckDB on the same rows, by the scripts ch.js and duck.js in EVSEG_PEERS; and zstd
on the text itself."""

import functools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import rows
from rows import MB, evtools

CH_TYPES = {"int8": "Int8", "int16": "Int16", "int32": "Int32", "int64": "Int64", "uint8": "UInt8",
            "uint16": "UInt16", "uint32": "UInt32",
            "uint64": "UInt64", "float32": "Float32", "float64": "Float64", "uuid": "UUID",
            "bool": "Bool", "datetime": "DateTime('UTC')",
            "date": "Date"}
DUCK_TYPES = {
    "int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
    "uint8": "UTINYINT", "uint16": "USMALLINT", "uint32": "UINTEGER", "uint64": "UBIGINT",
    "float32": "FLOAT", "float64": "DOUBLE", "uuid": "UUID", "bool": "BOOLEAN",
    "datetime": "TIMESTAMP", "datetime64": "TIMESTAMP", "date": "DATE", "json": "JSON",
    "map": "MAP(VARCHAR, VARCHAR)"
}


TYPED = "duckdb, same types"
NAMES = ("clickhouse", "duckdb", TYPED)


def folder():
    return Path(os.environ.get("EVSEG_PEERS", ""))


def wanted():
    """PEERS=1, and they are there."""
    if os.environ.get("PEERS") != "1":
        return False
    if not shutil.which("node") or not (folder() / "node_modules").is_dir():
        sys.exit("PEERS=1 needs node, and EVSEG_PEERS, the folder of ch.js and duck.js")
    return True


def node(script, args, timeout=3600):
    """Run one of the peers' scripts with -t: (milliseconds of each statement, stdout, measured)."""
    with evtools.tempfile.TemporaryFile() as out:
        ran = evtools.measured([shutil.which("node"), folder() / script, *args], stdout=out,
                               timeout=timeout)
        out.seek(0)
        text = out.read().decode()
    if ran.status:
        raise RuntimeError("%s: %s" % (script, ran.err.decode(errors="replace")[-600:]))
    return [float(x) for x in re.findall(r"^([\d.]+) ms\t", ran.err.decode(), re.M)], text, ran


# ---- ClickHouse ----------------------------------------------------------------------------------

def ch_type(t, nullable):
    if t.name == "map":
        return "Map(String, String)"
    if t.name == "array":
        return "Array(%s)" % ch_type(t.args[0], False)
    if t.name == "enum":
        text = "Enum(%s)" % ", ".join("'%s' = %d" % (x, i) for i, x in enumerate(t.args, 1))
    elif t.name == "datetime64":
        text = "DateTime64(%d, 'UTC')" % t.args[0]
    else:
        text = CH_TYPES.get(t.name, "String")
    return "Nullable(%s)" % text if nullable else text


def ch_make(table, source):
    """Statements that make b.t of a file; the last one reads it."""
    _, _, schema = rows.schema_of(table)
    database = "CREATE DATABASE IF NOT EXISTS b ENGINE = Atomic"
    codec = "SETTINGS default_compression_codec = 'ZSTD(3)'"
    if not schema:  # a set: its types are ClickHouse's guess
        return [
            database,
            "CREATE TABLE b.t ENGINE = MergeTree ORDER BY tuple() %s AS SELECT * FROM file('%s', JSONEachRow)"
            % (codec, source)
        ]
    columns = ", ".join("`%s` %s" % (c.name, ch_type(c.type, c.nullable))
                        for c in schema.columns.values())
    partition = "PARTITION BY (tenant_id, toMonday(timestamp))" if table == "task_events" else ""
    order = {"task_events": "task_id, timestamp, status"}.get(table, schema.time or "created_at")
    return [
        database,
        "CREATE TABLE b.t (%s) ENGINE = MergeTree %s ORDER BY (%s) %s, allow_nullable_key = 1" %
        (columns, partition, order, codec),
        "INSERT INTO b.t SELECT * FROM file('%s', JSONEachRow, '%s') "
        "SETTINGS max_partitions_per_insert_block = 100000, "
        "date_time_input_format = 'best_effort', max_insert_threads = 2" %
        (source, columns.replace("`", "").replace("'", "\\'"))
    ]


def bench_clickhouse(table, source, work):
    store = work / "ch"
    shutil.rmtree(store, ignore_errors=True)
    rows.warm(source)
    into, _, ran_in = node("ch.js", ["-d", store, "-t", ";\n".join(ch_make(table, source))])
    size = ["OPTIMIZE TABLE b.t FINAL",
            "SELECT count(), sum(bytes_on_disk) FROM system.parts WHERE active AND table = 't'"]
    _, text, _ = node("ch.js", ["-d", store, "-t", ";\n".join(size)])
    count, on_disk = text.split()[-2:]
    read = ["SELECT count() FROM b.t WHERE NOT ignore(*)",
            "SELECT * FROM b.t INTO OUTFILE '/dev/null' TRUNCATE FORMAT JSONEachRow"]
    out, _, ran_out = node("ch.js", ["-d", store, "-t", ";\n".join(read)])
    shutil.rmtree(store, ignore_errors=True)
    mb = source.stat().st_size / MB
    return {"parts": int(count), "in_mb_s": mb / (into[-1] / 1e3),
            "out_mb_s": mb / (out[-1] / 1e3), "disk_mb": int(on_disk) / MB,
            "in_mib": ran_in.peak_kib / 1024, "out_mib": ran_out.peak_kib / 1024}


# ---- DuckDB --------------------------------------------------------------------------------------

def duck_type(t):
    if t.name == "array":
        return duck_type(t.args[0]) + "[]"
    return DUCK_TYPES.get(t.name, "VARCHAR")


def duck_read(table, source, typed):
    """As DuckDB guesses, which makes columns of the fields of JSON and forgets its text; or with
    the schema's types, as the others have them."""
    columns = ""
    if typed:
        columns = ", columns = {%s}" % ", ".join("'%s': '%s'" % (c.name, duck_type(c.type))
                                                 for c in rows.schema_of(table)[2].columns.values())
    return "read_json('%s', format = 'newline_delimited', maximum_object_size = 100000000%s)" % (
        source, columns)


def bench_duckdb(table, source, work, typed=False):
    store = work / "duck"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    to, options, cast = store / "all.parquet", "", "*"
    if table == "task_events":
        to, options, cast = store / "parts", ", PARTITION_BY (p_tenant, p_week)", \
            "*, tenant_id AS p_tenant, " \
            "CAST(date_trunc('week', CAST(timestamp AS TIMESTAMP)) AS DATE) AS p_week"
    read = duck_read(table, source, typed)
    rows.warm(source)
    into, _, ran_in = node("duck.js", ["-t", ";\n".join([
        "SET preserve_insertion_order = false",
        "COPY (SELECT %s FROM %s) TO '%s' (FORMAT parquet, COMPRESSION zstd%s)" % (
            cast, read, to, options)])])
    files = "%s/**/*.parquet" % store if to.is_dir() else to
    less = "EXCLUDE (p_tenant, p_week)" if to.is_dir() else ""
    out, _, ran_out = node("duck.js", ["-t", ";\n".join([
        "SET preserve_insertion_order = false",
        "COPY (SELECT * %s FROM read_parquet('%s')) TO '/dev/null' (FORMAT json)" %
        (less, files)])])
    size = rows.disk_size(store)
    shutil.rmtree(store, ignore_errors=True)
    mb = source.stat().st_size / MB
    return {"in_mb_s": mb / (into[-1] / 1e3), "out_mb_s": mb / (out[-1] / 1e3),
            "disk_mb": size / MB, "in_mib": ran_in.peak_kib / 1024,
            "out_mib": ran_out.peak_kib / 1024}


# ---- all of them ---------------------------------------------------------------------------------

def bench_zstd(source):
    """MB of the text under zstd -19 with a window of 128 MiB: what a patient archive of it
    takes."""
    packer = subprocess.Popen(["zstd", "-19", "--long=27", "-T2", "-qc", source],
                              stdout=subprocess.PIPE)
    size = sum(len(piece) for piece in iter(lambda: packer.stdout.read(1 << 20), b""))
    return size / MB if packer.wait() == 0 else None


def measure(table, source, work, with_zstd):
    """What each of them makes of the table: {"clickhouse": {...}, "duckdb": {...}, "duckdb, same
    types": {...}, "zstd19_mb": MB}."""
    result = {}
    benches = [("clickhouse", bench_clickhouse), ("duckdb", bench_duckdb)]
    if rows.schema_of(table)[2]:
        benches.append((TYPED, functools.partial(bench_duckdb, typed=True)))
    for name, bench in benches:
        rows.say("%s: %s ..." % (table, name))
        try:
            result[name] = bench(table, source, work)
        except (RuntimeError, IndexError, ValueError) as e:
            rows.say("%s on %s did not work: %s" % (name, table, e))
    if with_zstd:
        rows.say("%s: zstd -19 ..." % table)
        result["zstd19_mb"] = bench_zstd(source)
    return result
