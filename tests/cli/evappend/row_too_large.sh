. "$CLI/lib.sh"

# A short line may be much in memory: beyond 8 MiB its row is rejected, by whichever column it is; what
# is around it is stored, and read again within the reader's limits.
cat >l.sql <<'SQL'
CREATE TABLE l (n Int32, at DateTime, a Array(FixedString(60000)) DEFAULT [], b Array(Decimal(38, 2)) DEFAULT [])
ENGINE = MergeTree PARTITION BY toMonday(at) ORDER BY n;
SQL
evschema -q apply store l.sql
many() { # many COUNT VALUE: a list
	yes "$2" | head -n "$1" | paste -sd, -
}
{
	echo '{"n":1,"at":"2025-01-06T00:00:00Z"}'
	echo '{"n":2,"at":"2025-01-06T00:00:00Z","a":['"$(many 130 '"x"')"']}'
	echo '{"n":3,"at":"2025-01-06T00:00:00Z","a":['"$(many 150 '"x"')"']}'
	echo '{"n":4,"at":"2025-01-06T00:00:00Z","b":['"$(many 400000 1)"']}'
	echo '{"n":5,"at":"2025-01-06T00:00:00Z","b":['"$(many 500000 1)"']}'
	echo '{"n":6,"at":"2025-01-06T00:00:00Z","a":['"$(many 80 '"x"')"'],"b":['"$(many 200000 1)"']}'
	echo '{"n":8,"at":"2025-01-06T00:00:00Z","u":"'"$(yes x | tr -d '\n' | head -c 5400000)"'","b":['"$(many 200000 1)"']}'
	echo '{"n":7,"at":"2025-01-06T00:00:00Z"}'
} >x
status evappend -q store/l x
jq -c '[.line, .reason]' store/l/rejects.ndjson
evcat store/l | jq -c '[.n, (.a | length), (.b | length)]'
