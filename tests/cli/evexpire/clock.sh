. "$CLI/lib.sh"

# A segment from the clock's future stays, unless --now vouches for the time.
make_stream
rows | evappend -q --now 2100-01-01T00:00:00Z store/events
evexpire --older-than 2025-01-13 store 2>err; echo "exit $?"
sed 's/it is now.*/.../' err
evexpire --now 2026-01-01 --older-than 2025-01-13 store; echo "exit $?"
grep -o '"now":"[^"]*"' store/events/expired.ndjson
