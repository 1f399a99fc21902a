. "$CLI/lib.sh"

# An end of rejects.ndjson that is no whole record is set aside, which is told, before another stands behind it.
make_stream
echo '{"id":' >x
status evappend -q store/events x
printf '{"line":7' >>store/events/rejects.ndjson
status evappend store/events x
grep -o 'rejects.ndjson: 9 bytes that were no record were set aside in store/events/rejects.*' err
jq -c .line store/events/rejects.ndjson
cat store/events/rejects.ndjson.tail-*
