. "$CLI/lib.sh"

make_stream
rows >a
evappend store/events a nowhere 2>err; echo "exit $?"
grep nowhere err; account
evcat store/events | wc -l
