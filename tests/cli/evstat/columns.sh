. "$CLI/lib.sh"

# What columns take adds up to the files; a column that came later counts by its name.
make_store
python3 "$TESTS/gen_rows.py" --rows 3000 | jq -c '{id: .retry_count, tenant: "acme", at: .timestamp, message: .status, n: 5}' >rows
evappend -q store/events rows
schema | sed 's/    level/    kind LowCardinality(String) DEFAULT '"'x'"',\n&/' >schema.sql
evschema -q apply store schema.sql
evappend -q store/events rows
evstat --columns -o json store >out
jq -c '[.column, .type, .nulls, .encodings]' out
jq -s 'map(.bytes) | add' out >a
find store -name '*.evs' -printf '%s\n' | jq -s add >b
cmp a b && echo "the same bytes"
jq -s 'map(.share) | add | . * 100 | round' out
evstat -c store | head -n 1 | sed 's/  */ /g'
evstat -c --tenant zeta -o csv store | grep -c ',0,0,0,'
