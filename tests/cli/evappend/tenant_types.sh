. "$CLI/lib.sh"

# The folder of a tenant is named by its value, of whatever type, as evcat prints it.
try() { # TYPE VALUE...
	type=$1
	shift
	rm -rf store
	echo "CREATE TABLE e (t $type NOT NULL, at DateTime NOT NULL) ENGINE = MergeTree
		PARTITION BY (t, toMonday(at)) ORDER BY at;" >s.sql
	evschema -q apply store s.sql
	for v in "$@"; do
		printf '{"t":%s,"at":"2025-01-06T00:00:00Z"}\n' "$v"
	done | evappend -q store/e
	(cd store/e && find . -mindepth 1 -type d | LC_ALL=C sort)
	evcat -c t store/e | LC_ALL=C sort
}
try UUID '"44bffbf3-5530-4378-94f3-0c85dc719159"' '"00000000-0000-0000-0000-000000000000"'
try Int64 0 -1 9007199254740993 -9223372036854775808
try UInt8 0 255
try "Enum('a' = 1, 'b \"c\"' = 2)" '"a"' '"b \"c\""'
evcat --tenant 'b "c"' -c t store/e
try "FixedString(3)" '"abc"' '"a"'
try String '"a"' '"\""' '"\\"' '"a\nb"' '"\u00e9"' '"x y"'
