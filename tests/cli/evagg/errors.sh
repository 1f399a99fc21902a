. "$CLI/lib.sh"

# A mistake in the query is shown where it stands: exit 2.
make_store
try() {
	status evagg "$@" store/events
	cat err
}
try -q "SELECT lvl FROM events"
try -q "SELECT level,
       sum(message)
FROM events"
try -q "SELECT level FROM events WHERE level = 'eror'"
try -q "SELECT e.id FROM events e JOIN users u ON u.id = e.id"
try -q "SELECT id, row_number() OVER (PARTITION BY tenant ORDER BY at DESC) FROM events"
try -q "SELECT tenant, id FROM events GROUP BY tenant"
try -q "SELECT 10 / n AS x FROM events"
try -q "SELECT sum(n + 9223372036854775000) FROM events"
try -q "SELECT tenant, summ(n) FROM events GROUP BY tenant"
try -a "countIff(n > 0)"
try -w "at >= 2025-01-06"
try -g "lower(tenat)"
try -a "sum(n) +"
try -w "n"
try --having "sum(n) > 'a'"
try --sort "count DESCENDING"
