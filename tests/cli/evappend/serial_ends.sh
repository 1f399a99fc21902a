. "$CLI/lib.sh"

# A serial column gives its last number, and none behind it: of rows that come when there are not enough left
# none is stored.
echo 'CREATE TABLE e (at timestamptz NOT NULL, small smallserial) PARTITION BY RANGE (at);' >s.sql
evschema -q apply store s.sql
rows() { yes '{"at":"2025-01-06T00:00:00Z"}' | head -n "$1"; }
rows 32766 | status evappend store/e; account
rows 2 | status evappend store/e; cat err
rows 1 | status evappend store/e; account
rows 1 | status evappend store/e; cat err
evcat -c small store/e | tail -n 2
