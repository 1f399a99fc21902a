. "$CLI/lib.sh"

make_stream
{ rows; echo '{'; } >x
status evappend --stats=json --rejects r store/events x
tail -n 1 err | jq -c '[.in, .stored, .duplicate, .rejected, .bytes_in, .commits, .segments, .syncs, .rejects]'
tail -n 1 err | jq -r 'keys[]' | tr '\n' ' '; echo
rows | status evappend --stats=json -q store/events
jq -c '[.in, .rejects]' err
