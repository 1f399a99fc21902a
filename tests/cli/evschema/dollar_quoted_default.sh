. "$CLI/lib.sh"

# Texts in PostgreSQL's dollar quotes (spec/schema.md 2.1-5) may be defaults and stand in checks.
cat >d.sql <<'SQL'
CREATE TABLE d (
    at timestamptz NOT NULL,
    a text DEFAULT $x$it's $$ \n$x$,
    b text DEFAULT $$$$ CHECK (b <> $$no$$),
    c text DEFAULT E'e\'s'
) PARTITION BY RANGE (at);
SQL
evschema -q apply store d.sql; echo "exit $?"
printf '%s\n' '{"at":"2025-01-06T00:00:00Z"}' '{"at":"2025-01-06T00:00:01Z","b":"no"}' >x
status evappend -q store/d x
jq -r .reason store/d/rejects.ndjson
evcat -c a,b,c store/d
