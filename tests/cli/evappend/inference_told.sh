. "$CLI/lib.sh"

# Time, tenant and key may be given.
printf '%s\n' '{"when":"2025-01-06T00:00:00Z","created":"2020-01-01T00:00:00Z","shop":"a","k":2}' \
	'{"when":"2025-01-07T00:00:00Z","created":"2020-01-01T00:00:00Z","shop":"b","k":1}' >x
evappend -q --time when --tenant shop --key k store/s x; echo "exit $?"
find store/s -name '*.evs' | sort
status evappend --time nosuch store/other x
find store -name '*.evs' | wc -l
