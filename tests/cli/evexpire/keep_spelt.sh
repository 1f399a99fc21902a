. "$CLI/lib.sh"

# A tenant may be written in many ways; what it keeps is kept for the one that its segments have.
keeps() {
	echo "CREATE TABLE $1 (who $2, at DateTime NOT NULL) ENGINE = MergeTree PARTITION BY (who, toMonday(at)) ORDER BY at TTL at + INTERVAL 1 DAY;" |
		evschema -q apply store -
	echo "{\"who\":$3,\"at\":\"2024-01-03T00:00:00Z\"}" | evappend -q store/$1
	evexpire --tenant "$4" --keep forever store/$1; echo "exit $?"
	[ ! -e store/$1/keep.json ] || cat store/$1/keep.json
	evexpire -q store/$1; ls store/$1 | grep -v '[.]'
}
keeps ids UUID '"44bffbf3-5530-4378-94f3-0c85dc719159"' 44BFFBF3-5530-4378-94F3-0C85DC719159
keeps numbers UInt32 7 007
keeps names "Enum('a' = 1, 'b' = 2)" '"b"' b
keeps texts String '"007"' 007
# What is no value of the column is nobody's name.
evexpire --tenant nobody --keep forever store/ids; echo "exit $?"
evexpire --tenant "7' OR '1" --keep forever store/numbers; echo "exit $?"
# An entry that says nothing is named.
echo '{"44bffbf3-5530-4378-94f3-0c85dc719159":"90d","x":"90 days"}' >store/ids/keep.json
evexpire -q store/ids; echo "exit $?"
