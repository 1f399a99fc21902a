. "$CLI/lib.sh"

# Elements of PostgreSQL's T[] may be null; those of Array(T) only where T is Nullable (spec/schema.md
# 3.3-3). A schema that gains the nulls reads what was stored without them.
cat >a.sql <<'SQL'
CREATE TABLE a (at timestamptz NOT NULL, t text[], n int[][], c Array(String), d text[] DEFAULT '{}');
SQL
evschema -q apply store a.sql
cat >x <<'JSON'
{"at":"2025-01-06T00:00:00.000000Z","t":["a",null,"null"],"n":[[1,null],[]],"c":["x"],"d":[null]}
{"at":"2025-01-06T00:00:01.000000Z","t":[null],"d":[]}
{"at":"2025-01-06T00:00:02.000000Z","c":["x",null]}
{"at":"2025-01-06T00:00:03.000000Z","n":[null]}
JSON
status evappend -q store/a x
jq -r .reason store/a/rejects.ndjson
evcat store/a >out
head -n 2 x | cmp - out && echo same
sed 's/Array(String)/text[]/' a.sql >b.sql
evschema -q apply store b.sql; echo "exit $?"
sed -n 3p x | evappend -q store/a; echo "exit $?"
evcat -c c store/a
