. "$CLI/lib.sh"

# Holes in a row of weeks, events of the future, and what is past its time.
schema | sed 's/ ORDER BY (at, id)/& TTL at + INTERVAL 90 DAY/' >schema.sql
evschema -q apply store schema.sql
{
	rows
	echo '{"id":8,"tenant":"acme","at":"2025-02-24T00:00:00Z"}'
	echo '{"id":9,"tenant":"zeta","at":"2025-03-24T00:00:00Z"}'
	echo '{"id":9,"tenant":"zeta","at":"2025-06-01T01:00:00.001Z"}'
} | evappend -q store/events
evstat --by stream -o json --now 2025-06-01T00:00:00Z store >out; echo "exit $?"
evstat -e -q --by stream -o json --now 2025-06-01T00:00:00Z store >out; echo "exit $?"
evexpire -q --now 2025-06-01 store
evstat -e --by stream -o json --now 2025-06-01T00:00:00.001Z --tenant acme store >out; echo "exit $?"
