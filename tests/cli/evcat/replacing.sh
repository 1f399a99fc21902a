. "$CLI/lib.sh"

# A ReplacingMergeTree answers as if merged, with and without a version, across commits and groups.
cat >schema.sql <<'SQL'
CREATE TABLE jobs (id UInt32 NOT NULL, at DateTime NOT NULL, v UInt8 NOT NULL, gone Bool NOT NULL, state String NULL)
ENGINE = ReplacingMergeTree(v, gone) PARTITION BY toMonday(at) ORDER BY id;
CREATE TABLE plain (id UInt32 NOT NULL, at DateTime NOT NULL, state String NULL)
ENGINE = ReplacingMergeTree PARTITION BY toMonday(at) ORDER BY id;
SQL
evschema -q apply store schema.sql
job() {
	printf '{"id":%s,"at":"2025-01-0%sT00:00:00Z","v":%s,"gone":%s,"state":"%s"}\n' "$@"
}
{ job 1 6 1 false new; job 2 6 1 false new; job 3 6 1 false new; } | evappend -q store/jobs
{ job 1 7 3 false done; job 2 7 2 true gone; } | evappend -q store/jobs
{ job 1 8 2 false late; job 3 8 1 false again; job 4 8 1 false one; } | evappend -q store/jobs
evcat store/jobs
echo; evcat -w "state = 'new'" store/jobs
echo; evcat -c id,state -w "state = 'done' OR id = 3" store/jobs
echo; evcat -c id --since 2025-01-08 store/jobs
echo; evcat -c state -k id=1 store/jobs
for state in a b c; do
	seq 1 3000 | sed "s/.*/{\"id\":&,\"at\":\"2025-01-06T00:00:00Z\",\"state\":\"$state\"}/"
done | evappend -q --flush-rows 700 store/plain
echo; evcat -c state store/plain | sort | uniq -c
evcat --explain -w "id = 2999" store/plain 2>&1 | grep 'groups\|{'
evcat --explain -w "state = 'a'" store/plain 2>&1 | grep 'groups\|{'
