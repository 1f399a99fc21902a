. "$CLI/lib.sh"

# A store of several streams does not go into one output.
make_store
echo '{"a":1,"at":"2025-01-06T00:00:00Z"}' | evappend -q store/other
status evcat store
grep -c events err
evcat store/other
