. "$CLI/lib.sh"

# A materialized view is kept as partial states in the commits; its answer is that of the rows, whatever happens to them.
cat >schema.sql <<'SQL'
CREATE TABLE ev (id UInt64, ts DateTime64(3) NOT NULL, status String NOT NULL, ms Nullable(Int32), CHECK ms >= 0)
ENGINE = MergeTree PARTITION BY toMonday(ts) ORDER BY ts;
CREATE MATERIALIZED VIEW hourly AS SELECT toStartOfHour(ts) AS hour, status, count() AS n, avg(ms) AS mean, uniq(id) AS ids,
  countIf(ms > 500) AS slow FROM ev GROUP BY hour, status;
CREATE MATERIALIZED VIEW failed AS SELECT toDate(ts) AS day, count() AS n FROM ev WHERE status = 'FAILED' GROUP BY day;
SQL
evschema -q apply store schema.sql
rows() { # rows FROM TO: every two minutes one, each third failed, each seventh without ms
	seq "$1" "$2" | awk '{ t = $1 * 120; printf "{\"id\":%d,\"ts\":\"2025-01-%02dT%02d:%02d:00Z\",\"status\":\"%s\"%s}\n", $1 % 50,
		6 + int(t / 86400), int(t / 3600) % 24, int(t / 60) % 60, $1 % 3 ? "OK" : "FAILED",
		$1 % 7 ? ",\"ms\":" $1 * 37 % 1000 : "" }'
}
same() { # same WORDS: both answers are the same, and how they came about
	evagg --explain -q "SELECT * FROM hourly ORDER BY hour, status" store/ev >1.out 2>1.err
	evagg --raw -q "SELECT * FROM hourly ORDER BY hour, status" store/ev >2.out 2>/dev/null
	evagg -q "SELECT * FROM failed ORDER BY day" store/ev >3.out 2>/dev/null
	evagg --raw -q "SELECT * FROM failed ORDER BY day" store/ev >4.out 2>/dev/null
	cmp 1.out 2.out && cmp 3.out 4.out && echo "$1: $(wc -l <1.out) and $(wc -l <3.out) rows"
	grep -o 'rollups.*' 1.err
}
rows 1 7000 | evappend -q store/ev
same "one commit a week"
rows 1000 9000 | evappend -q store/ev
rows 5 9 | evappend -q store/ev
same "late rows, and a commit too small for a rollup"
{ rows 2000 4000; echo '{"id":1,"ts":"2025-01-07T00:00:00Z","status":"OK","ms":-1}'; } | evappend -q store/ev 2>/dev/null
same "rejects"
echo; evagg -q "SELECT sum(n) AS n, max(slow) AS slow FROM hourly WHERE hour >= '2025-01-12'" store
evagg --explain -q "SELECT status, count() AS n FROM ev GROUP BY status ORDER BY n" store 2>&1 | grep 'rollups\|{'
evagg --explain -q "SELECT toDate(ts) AS d, count() AS n FROM ev WHERE status = 'FAILED' GROUP BY d ORDER BY d LIMIT 2" store 2>&1 | grep 'rollups\|{'
evagg --explain --since 2025-01-08 -g status -a 'count() AS n' --sort status store 2>&1 | grep 'rollups\|{'
# Conditions over a view's keys choose among the groups of its rollups; others are asked of the rows.
echo
both() { # both CONDITION
	q="SELECT toStartOfHour(ts) AS hour, count() AS n, avg(ms) AS mean, uniq(id) AS ids FROM ev WHERE $1 GROUP BY hour ORDER BY hour"
	evagg --explain -q "$q" store >1.out 2>1.err
	evagg --raw -q "$q" store >2.out
	cmp 1.out 2.out && echo "$1: $(wc -l <1.out) rows, $(grep -o 'rollups.*' 1.err || echo 'no rollups')"
}
both "status = 'FAILED'"
both "status <> 'OK' AND hour >= '2025-01-08 12:00:00'"
both "status LIKE 'F%' OR toDate(toStartOfHour(ts)) = '2025-01-09'"
both "toStartOfHour(ts) IN ('2025-01-08 12:00:00', '2025-01-17 05:00:00') AND status IS NOT NULL"
both "status = 'NONE'"
both "status = 'FAILED' AND ms > 500"
both "ts >= '2025-01-08 12:00:00'"
# One bit of a rollup: named, and the rows of its commit answer.
file=store/ev/_/2025-01-06.evs
cp "$file" keep
frame=$(grep -obUaP '\x89EVS\x07' "$file" | head -n 1 | cut -d: -f1)
printf '\377' | dd of="$file" bs=1 seek=$((frame + 60)) conv=notrunc status=none
echo; same "a damaged rollup" 2>/dev/null
sed -n 's/(offset [0-9]*)/(offset N)/; /lost/p' 1.err
status evagg -q "SELECT count() AS n FROM hourly" store | tail -n 1
cp keep "$file"
rm store/ev/_/2025-01-13.evs
same "a partition less"
