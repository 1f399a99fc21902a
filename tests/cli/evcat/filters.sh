. "$CLI/lib.sh"

# Filters of key columns pass groups over; a damaged one is named and not used, and costs no row.
cat >schema.sql <<'SQL'
CREATE TABLE events (id UInt64 NOT NULL, at DateTime NOT NULL, run UUID, who Nullable(String), INDEX w who TYPE bloom_filter)
ENGINE = MergeTree PARTITION BY toMonday(at) ORDER BY (run, at);
SQL
evschema -q apply store schema.sql
for part in 1 2 3; do
	seq "100$part" 3 "399$part" | sed 's/.*/{"id":&,"at":"2025-02-03T00:00:00Z","run":"0000&-0000-4000-8000-000000000000","who":"w&"}/'
done >rows
evappend -q --flush-rows 997 store/events <rows
explain() {
	evcat --explain "$@" store 2>&1 | grep 'groups\|filters\|{'
}
explain -k run=00002500-0000-4000-8000-000000000000
explain -k who=w3500
explain -w "who IN ('w1001', 'w2x', NULL)" -c who
explain -k who=w2x
explain -w "who <> 'w1' AND id = 1003" -c id
# The first byte of the payload of the first FILTER frame.
frame=$(grep -obUaP '\x89EVS\x08' store/events/_/*.evs | head -n 1 | cut -d: -f1)
printf '\377' | dd of="$(echo store/events/_/*.evs)" bs=1 seek=$((frame + 40)) conv=notrunc status=none
status evcat -c id -k run=00001500-0000-4000-8000-000000000000 store
sed 's/(offset [0-9]*)/(offset N)/' err
status evcat -c id store | tail -n 1
sed 's/(offset [0-9]*)/(offset N)/' err
