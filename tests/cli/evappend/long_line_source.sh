. "$CLI/lib.sh"

# Lines that are too long to be held count with all their bytes: what is acknowledged is how much was read, and
# from there the source goes on. One ends in the middle of the input, one is all there is at its end.
make_stream
long() { head -c 33554500 /dev/zero | tr '\0' x; }
{ rows | head -n 1; long; echo; rows | sed -n 2p; } >x
status evappend --ack --flush-interval 1h --source feed store/events x | jq -Rc 'fromjson? | [.rows, .source_offset]'
wc -c <x
account
jq -c '[.line, .offset, .end]' store/events/rejects.ndjson
{ rows | sed -n 4p; long; } >>x
status evappend --ack --flush-interval 1h --source feed store/events x | jq -Rc 'fromjson? | [.rows]'
account
jq -c '[.line, .offset, .end]' store/events/rejects.ndjson
evcat store/events | jq .id
