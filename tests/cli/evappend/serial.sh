. "$CLI/lib.sh"

# Serial columns: numbers where the row has none, also in the next run, and its own where it has one.
cat >s.sql <<'SQL'
CREATE TABLE e (id bigserial, at timestamptz NOT NULL, small smallserial, what text DEFAULT 'nothing')
	PARTITION BY RANGE (at);
SQL
evschema -q apply store s.sql
row() { printf '{"at":"2025-01-06T00:00:0%dZ"%s}\n' "$1" "$2"; }
{ row 1; row 2 ',"id":100'; row 3 ',"what":"this"'; row 4; } | status evappend store/e; account
{ row 5; row 6 ',"small":7'; } | status evappend store/e; account
evcat -c id,small,what,at store/e
cat store/e/serials.json
