. "$CLI/lib.sh"

# A SCHEMA frame that an older version of the file left behind is none, although its text is the right one: the next
# append brings its own, and its rows come.
mkdir -p store/t/_
cp "$TESTS/../corpus/bad/3.1-15-schema.evs" store/t/_/2024-01-01.evs
echo 'CREATE TABLE t (n UInt32, s String) ENGINE = MergeTree;' >store/t/schema.sql
echo '{"n":9,"s":"c"}' | status evappend --now 2024-01-02 store/t; account
status evcat store/t
