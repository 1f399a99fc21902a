. "$CLI/lib.sh"

make_stream
status evappend store/events </dev/null; account
find store -name '*.evs'
status evappend store/new </dev/null; account
