. "$CLI/lib.sh"

# Rows, not groups: items, *, aliases everywhere, ORDER BY, LIMIT, DISTINCT, LIMIT BY.
make_store
echo '{"id":6,"tenant":"acme","at":"2025-01-14T00:00:00Z","host":"h1","n":2}' | evappend -q store/events
evagg -q "SELECT * FROM events ORDER BY id DESC LIMIT 2" store
evagg -q "SELECT id, n * 2 AS twice, twice + 1 AS odd FROM events WHERE twice > 0 ORDER BY odd DESC" store
evagg -q "SELECT id, n FROM events ORDER BY n, id" store
evagg -q "SELECT id FROM events ORDER BY n DESC NULLS FIRST, id LIMIT 2 OFFSET 1" store
evagg -q "SELECT DISTINCT tenant FROM events ORDER BY tenant" store
evagg -q "SELECT tenant, id FROM events ORDER BY id LIMIT 1 BY tenant" store
evagg -q "SELECT DISTINCT ON (tenant) tenant, id FROM events ORDER BY tenant, at DESC" store
evagg -q "SELECT id FROM events LIMIT 0" store; echo "exit $?"
evagg -q "SELECT e.id, upper(e.tenant) FROM shop.events AS e WHERE e.id = 3 -- comment" store
evagg -q "SELECT level, id FROM events ORDER BY 1 DESC, 2 LIMIT 3" -o csv store
evagg -q "SELECT level, count() AS c FROM events GROUP BY 1 ORDER BY 2 DESC, 1" -o table store
