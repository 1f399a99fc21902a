. "$CLI/lib.sh"

make_stream
rows >rows.ndjson
evappend store/events rows.ndjson 2>err; echo "exit $?"
account
find store -name '*.evs' | sort
evcat store/events
