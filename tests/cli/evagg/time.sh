. "$CLI/lib.sh"

# now() is what --now says; --since, --until and --tenant say what is looked at at all.
make_store
evagg --now 2025-01-08T12:00:00Z -q "SELECT id FROM events WHERE at > now() - INTERVAL 24 HOUR AND at <= now()" store
evagg --now 2025-01-08T12:00:00Z -q "SELECT now() AS now, count() AS n FROM events WHERE at >= now() - INTERVAL '2 days' GROUP BY now" store
evagg --since 2025-01-07 --until 2025-01-14 -g "toStartOfDay(at) AS day" --sort day store/events
evagg --tenant zeta -g "toMonday(at) AS week, tenant" --sort week store/events
evagg -k tenant=acme -a "groupArray(id) AS ids" store/events
evagg --explain --since 2025-01-13 -q "SELECT count() AS n FROM events" store 2>&1 | head -n 2
