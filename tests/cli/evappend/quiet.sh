. "$CLI/lib.sh"

make_stream
rows | evappend -q store/events; echo "exit $?"
{ rows; echo bad; } | evappend -q store/events; echo "exit $?"
