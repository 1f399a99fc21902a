. "$CLI/lib.sh"

# Bars, or a line when the first column is a time; 80 columns and no colour when it is no terminal.
make_store
LC_ALL=C.UTF-8; export LC_ALL
evagg --plot -g level -a "count() AS n" --sort "n DESC" store/events
evagg --plot -q "SELECT tenant, sum(n) AS total FROM events GROUP BY tenant ORDER BY tenant" store
evagg --plot -q "SELECT id, message, n FROM events ORDER BY id" store
evagg --plot -q "SELECT toDate(at) AS day, id FROM events ORDER BY day" store
evagg --plot -q "SELECT tenant, message FROM events" store
evagg --plot -q "SELECT tenant, id FROM events WHERE id > 9" store
