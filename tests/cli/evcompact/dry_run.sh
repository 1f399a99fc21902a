. "$CLI/lib.sh"

# --dry-run prints which segments gain and why, and changes nothing.
make_store
seq 1 2000 | sed 's/.*/{"id":&,"tenant":"b","at":"2025-02-06T00:00:00.000Z","message":"m &"}/' >x
evappend -q store/events x
evappend -q store/events x
find store -type f | sort | xargs md5sum >sums
evcompact --dry-run store 2>&1 | sed 's/"bytes":[0-9]*/"bytes":N/' | compacted
evcompact -q --dry-run --all store | wc -l
evcompact -qn store/events/acme
md5sum --quiet -c sums
# What is compacted gains again for another schema, another view, a higher level, or when much was appended.
evcompact -q store/events
evcompact -q --dry-run store | wc -l
evcompact -q --dry-run --level 13 store | jq -r .why
schema | sed 's/^    n Nullable(Int32),/    n Nullable(Int64),/' >wider.sql
evschema -q apply store wider.sql
evcompact -q --dry-run store | jq -r .why
evcompact -q store/events
echo 'CREATE MATERIALIZED VIEW daily AS SELECT toDate(at) AS day, count() AS rows FROM events GROUP BY day;' >>wider.sql
evschema -q apply store wider.sql
evcompact -q --dry-run store | jq -r .why
evcompact -q store/events
# ... but not at once: those who follow the segment must have seen its new file
head -n 900 x | evappend -q store/events
evcompact -q --dry-run store | wc -l
evcompact -q --dry-run --now 2099-01-01 store | jq -r .why
evcompact -q --now 2099-01-01 store/events
# ... also when they came while a run was on its way, which has an older time
head -n 900 x | evappend -q --now 2030-01-01T00:00:05Z store/events
for now in 2029-12-31T23:59:54Z 2029-12-31T23:59:56Z 2030-01-01T00:00:14Z 2030-01-01T00:00:16Z; do
	evcompact -q --dry-run --now $now store | wc -l
done
evcompact -q --now 2099-01-01 store/events
# A comment is no change.
sed 's/^CREATE TABLE/-- said so\n&/' wider.sql >said.sql
evschema -q apply store said.sql
evcompact -q --dry-run store | wc -l
