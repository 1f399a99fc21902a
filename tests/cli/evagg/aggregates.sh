. "$CLI/lib.sh"

# Every aggregate, over values and over nothing.
cat >schema.sql <<'SQL'
CREATE TABLE t (ts DateTime, g String, n Nullable(Int32), f Nullable(Float64), d Nullable(Decimal(10, 2)), u Nullable(UInt64),
    s Nullable(String), b Nullable(Bool), e Nullable(Enum('low' = 1, 'high' = 2)), a Array(Int32), j Nullable(JSON))
ENGINE = MergeTree ORDER BY ts;
SQL
evschema -q apply store schema.sql
evappend -q store/t <<'JSON'
{"ts":"2025-01-01T00:00:00Z","g":"x","n":3,"f":0.1,"d":1.10,"u":18446744073709551615,"s":"b","b":true,"e":"low","a":[1],"j":{"v":1}}
{"ts":"2025-01-01T00:00:01Z","g":"x","n":-1,"f":0.2,"d":2.20,"u":1,"s":"a","b":false,"e":"high","a":[2,3],"j":{"v":2.5}}
{"ts":"2025-01-01T00:00:02Z","g":"x","n":3,"f":0.3,"d":-0.05,"s":"b","b":true,"e":"high","a":[],"j":{"v":"?"}}
{"ts":"2025-01-01T00:00:03Z","g":"y","a":[]}
JSON
q() {
	evagg --nulls -q "SELECT g, $1 FROM t GROUP BY g ORDER BY g" store
	evagg --nulls -q "SELECT $1 FROM t WHERE g = 'z'" store
}
q "count(), count(n), countIf(n > 0), count(DISTINCT s), countDistinct(n, s), uniq(s), uniqExact(a)"
q "sum(n), sum(f), sum(d), sumIf(f, n > 0), sum(b), sum(j.v)"
q "avg(n), avg(f), avg(d), avg(ts - '2025-01-01'::DateTime) AS secs, avg(u)"
q "min(n), max(f), min(s), max(e), min(d), max(u), min(b), max(ts)"
q "argMax(s, ts), argMin(a, n), argMax(s, n) AS tie, any(s), anyLast(s), arg_max(j, ts)"
q "median(n), quantile(0.25)(f), quantiles(0, 0.5, 1)(n), varPop(n), var_samp(n), stddev(f), stddevPop(n)"
q "groupArray(n), array_agg(n), groupArray(1)(s), string_agg(s, ', '), bool_and(b), bool_or(b), groupArray(a)"
q "count(*) FILTER (WHERE e = 'high') AS high, sum(n) FILTER (WHERE b) AS s"
status evagg -q "SELECT sum(u) FROM t" store; cat err
evagg -q "SELECT sum(u::Decimal(38, 0)) AS s FROM t" store
