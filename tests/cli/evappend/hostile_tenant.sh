. "$CLI/lib.sh"

# No tenant value leaves the stream or collides with another.
make_stream
n=0
for t in '../../../escape' '/etc' '.' '..' '_' '' 'a/b' 'A' 'a' '%2e%2e' 'schema.sql' 'a\u0000b'; do
	n=$((n + 1))
	printf '{"id":%d,"tenant":"%s","at":"2025-01-06T00:00:00.000Z"}\n' "$n" "$t"
done >x
evappend -q store/events x; echo "exit $?"
find . -name '*.evs' | wc -l
find . -name '*.evs' | grep -v -c '^./store/events/[^/]*/2025-01-06.evs$'
evcat -c id,tenant store/events >out
jq -c '{id, tenant}' x >want; same_rows want out
evcat --tenant ../../../escape -c id store/events
evcat --tenant _ -c id store/events
