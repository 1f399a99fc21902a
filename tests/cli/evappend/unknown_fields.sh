. "$CLI/lib.sh"

# Fields that the schema does not know are kept and come back.
make_stream
echo '{"id":9,"tenant":"acme","at":"2025-01-06T00:00:00.000Z","extra":{"b":[1,null]},"x.y":1e3}' >x
evappend -q store/events x; echo "exit $?"
evcat store/events
