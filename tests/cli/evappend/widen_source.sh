. "$CLI/lib.sh"

# A row that makes an inferred schema wider is not in the commit before it, and not taken for absorbed by it.
{
	echo '{"ts":"2024-01-01T00:00:00Z","a":1}'
	sleep 1.5
	echo '{"ts":"2024-01-01T00:00:01Z","a":2}'
	echo '{"ts":"2024-01-01T00:00:02Z","a":"x"}'
	echo '{"ts":"2024-01-01T00:00:03Z","a":"y"}'
} | status evappend --source s store/ev
account
evcat store/ev
