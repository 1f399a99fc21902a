. "$CLI/lib.sh"

# The last number of a bigserial is given away, and then none.
echo 'CREATE TABLE s (id bigserial, at timestamptz NOT NULL);' | evschema -q apply store -
echo '{"id":9223372036854775807}' >store/s/serials.json
for i in 1 2; do
	echo '{"at":"2025-01-01T00:00:00Z"}' | evappend -q store/s; echo "exit $?"
	cat store/s/serials.json
done
evcat -c id store/s
# More digits than a number has.
echo '{"id":99999999999999999999}' >store/s/serials.json
echo '{"at":"2025-01-01T00:00:00Z"}' | evappend -q store/s; echo "exit $?"
