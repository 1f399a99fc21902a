. "$CLI/lib.sh"

# Calendar months: across the end of a year, and from days that the month lacks.
day() { # day DATE: a stream of days with one row of its last second
	rm -rf store
	echo "CREATE TABLE d (at DateTime, n Int8) PARTITION BY toDate(at) ORDER BY n TTL at + INTERVAL $2;" |
		evschema -q apply store -
	echo "{\"at\":\"$1T23:59:59Z\",\"n\":1}" | evappend -q store/d
}
at() { # at TIME: does it go?
	evexpire -n -o csv --now "$1" store 2>/dev/null | grep -c d/_/
}
for c in "2024-12-31 1:MONTH 2025-02-01" "2024-11-30 3:MONTH 2025-03-01" "2024-02-29 1:YEAR 2025-03-01" \
	"2025-01-30 1:MONTH 2025-03-01" "2025-01-28 1:MONTH 2025-03-01" "2025-01-27 1:MONTH 2025-02-28" \
	"2025-12-31 2:DAY 2026-01-03"; do
	set -- $c
	day "$1" "$(echo "$2" | tr : ' ')"
	before=$(date -u -d "$3 - 1 second" +%Y-%m-%dT%H:%M:%SZ)
	echo "$1 + $2: $(at "$before") at $before, $(at "$3") at $3"
done
# Ages count back from the present the same way.
day 2025-02-27 "9 YEAR"
for t in 2025-03-27T23:59:59Z 2025-03-28T00:00:00Z 2025-03-31T00:00:00Z 2025-03-01T00:00:00Z; do
	echo "1mo before $t: $(evexpire -n -o csv --older-than 1mo --now "$t" store 2>/dev/null | grep -c d/_/)"
done
