. "$CLI/lib.sh"

# The same input again, and one that has grown: nothing lost, nothing twice.
make_stream
rows | head -n 3 >x
status evappend --source feed store/events x; account
status evappend --source feed store/events x; account
rows >x
status evappend --source feed store/events x; account
rows | status evappend --source other store/events; account
evcat store/events | wc -l
