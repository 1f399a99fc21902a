. "$CLI/lib.sh"

# ReplacingMergeTree and SummingMergeTree: the answer is the same before and after, and stays right when more comes.
cat >schema.sql <<'SQL'
CREATE TABLE jobs (id UInt32 NOT NULL, at DateTime NOT NULL, v UInt8 NOT NULL, gone Bool NOT NULL, state String NULL)
ENGINE = ReplacingMergeTree(v, gone) PARTITION BY toMonday(at) ORDER BY id;
CREATE TABLE plain (id UInt32 NOT NULL, at DateTime NOT NULL, state String NULL)
ENGINE = ReplacingMergeTree PARTITION BY toMonday(at) ORDER BY id;
CREATE TABLE sums (day Date NOT NULL, k String NOT NULL, at DateTime NOT NULL, n Nullable(Int8), cost Float64, d Decimal(20, 2), text String)
ENGINE = SummingMergeTree PARTITION BY toMonday(at) ORDER BY (day, k);
SQL
evschema -q apply store schema.sql
job() {
	printf '{"id":%s,"at":"2025-01-0%sT00:00:00Z","v":%s,"gone":%s,"state":"%s"}\n' "$@"
}
{ job 1 6 1 false new; job 2 6 1 false new; job 3 6 1 false new; } | evappend -q store/jobs
{ job 1 7 3 false done; job 2 7 2 true gone; } | evappend -q store/jobs
{ job 1 8 2 false late; job 3 8 1 false again; job 4 8 1 false one; } | evappend -q store/jobs
for state in a b c; do
	seq 1 3000 | sed "s/.*/{\"id\":&,\"at\":\"2025-01-06T00:00:00Z\",\"state\":\"$state\"}/"
done | evappend -q --flush-rows 700 store/plain
for i in 1 2 3 4 5; do
	seq 1 40 | sed "s/.*/{\"day\":\"2025-01-06\",\"k\":\"k&\",\"at\":\"2025-01-06T00:00:0${i}Z\",\"n\":&,\"cost\":0.$i,\"d\":1.0$i,\"text\":\"t$i\"}/" | evappend -q store/sums
done
ask() {
	evcat store/jobs; evcat store/plain | md5sum; evcat store/sums | md5sum
	evagg -q 'SELECT sum(n) AS n, sum(cost) AS c, sum(d) AS d FROM sums' store
}
ask >before
evcompact --all store 2>&1 | compacted
ask | diff before - && cat before
# A row that was deleted outlasts an older version that comes late.
job 2 8 1 false late | evappend -q store/jobs
evcat -c id,state store/jobs
evcompact -q --all store
evcat -c id,state store/jobs
