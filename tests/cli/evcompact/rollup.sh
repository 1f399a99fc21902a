. "$CLI/lib.sh"

# Rollups of a view that came after the rows are filled in; answers are those of the rows, before and after, and with late rows.
make_stream
rows_of() {
	seq "$1" "$2" | awk '{ printf "{\"id\":%d,\"tenant\":\"t%d\",\"at\":\"2025-01-%02dT%02d:00:00.000Z\",\"level\":\"%s\",\"message\":\"m\",\"n\":%d}\n", $1, $1 % 3, 6 + $1 % 14, $1 % 24, $1 % 5 ? "info" : "error", $1 % 97 }'
}
rows_of 1 6000 | evappend -q --flush-rows 500 store/events
cat >>schema.sql <<'SQL'
CREATE MATERIALIZED VIEW daily AS
SELECT toDate(at) AS day, level, count() AS k, sum(n) AS s, avg(n) AS a, uniq(id) AS u, max(message) AS m FROM events GROUP BY day, level;
SQL
evschema -q apply store schema.sql
ask() {
	evagg "$@" -q "SELECT day, level, k, s, a, u, m FROM daily ORDER BY day, level" store
	evagg "$@" -q "SELECT level, count() AS k, avg(n) AS a FROM events GROUP BY level ORDER BY level" store
	evagg "$@" -q "SELECT toDate(at) AS day, sum(n) AS s FROM events WHERE tenant = 't1' GROUP BY day ORDER BY day" store
}
explain() {
	evagg --explain -q "SELECT day, sum(k) AS k FROM daily GROUP BY day ORDER BY day LIMIT 1" store 2>&1 | grep 'rollup\|rows'
}
ask --raw >raw
explain
evcompact -q store; echo "exit $?"
ask | cmp - raw
ask --raw | cmp - raw
explain
# late rows have a rollup of their own, or are read
rows_of 6001 6100 | evappend -q store/events
rows_of 6101 6103 | evappend -q store/events
ask --raw >raw
ask | cmp - raw
evcompact -q --all store
ask | cmp - raw
explain
# a view that is changed begins anew
sed 's/uniq(id) AS u/uniq(tenant) AS u/' schema.sql >other.sql
evschema -q apply store other.sql
ask --raw >raw; ask | cmp - raw
evcompact -q store
ask | cmp - raw
explain
