. "$CLI/lib.sh"

# No column is a time: the arrival time is, in a hidden column.
printf '{"a":1}\n{"a":2}\n' >x
evappend -q --now 2025-01-09T12:00:00Z store/s x; echo "exit $?"
find store/s -name '*.evs'
evcat store/s
evcat -c a,_time store/s | jq -c '[.a, (._time | startswith("2025-01-09T12:00:00"))]'
