. "$CLI/lib.sh"

# What FROM names: a stream of the store, a view, a view of a view; or nothing.
cat >schema.sql <<'SQL'
CREATE TABLE shop.events (id UInt64, tenant String, at DateTime, n Nullable(Int32)) ENGINE = MergeTree ORDER BY (at, id);
CREATE TABLE others (ts DateTime, x Int32) ENGINE = MergeTree ORDER BY ts;
CREATE VIEW by_tenant AS SELECT tenant, count() AS events, avg(n) AS mean, max(at) AS newest FROM events GROUP BY tenant;
CREATE MATERIALIZED VIEW busy AS SELECT tenant, events FROM by_tenant WHERE events > 1;
SQL
evschema -q apply store schema.sql 2>err
rows | evappend -q store/events 2>/dev/null
evagg -q "SELECT * FROM by_tenant ORDER BY tenant" store
evagg -q "SELECT sum(events) AS e, max(newest) AS m FROM by_tenant WHERE mean > -5" store
evagg -q "SELECT count() AS n FROM by_tenant" store/events
evagg -q "SELECT count() AS n FROM shop.events" store
evagg -q "SELECT count() AS n" store/events
evagg -q "SELECT count() AS n FROM events" store/events/*/2025-01-06.evs
for q in "count() FROM event" "count() FROM shp.events" "count() FROM others.others" "count()" "mean FROM by_tenant GROUP BY tenant"; do
	status evagg -q "SELECT $q" store; cat err
done
status evagg -q "SELECT count() FROM others" store/events; cat err
status evagg -q "SELECT count()" nowhere; cat err
