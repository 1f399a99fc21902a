. "$CLI/lib.sh"

# Counting: the whole stream, by a column, by flags, with a condition.
make_store
evagg -q "SELECT count() AS n FROM events" store
evagg -q "SELECT level, count() AS n FROM events GROUP BY level ORDER BY n DESC, level" store
evagg store/events
evagg -g level --sort level store/events
evagg -g "tenant, level" -a "count() AS n, sum(n) AS total" -w "n IS NOT NULL" --having "n > 0" --sort "total DESC" -n 2 store/events
evagg -q "SELECT COUNT(*) FROM events WHERE level = 'fatal'" store; echo "exit $?"
evagg -q "SELECT count(), sum(n), max(at) FROM events WHERE id > 100;" --nulls store
evagg -q "SELECT level FROM events WHERE id > 100 GROUP BY level" store; echo "exit $?"
