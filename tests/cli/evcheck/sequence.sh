. "$CLI/lib.sh"

# Numbers that count up by one for each key: what is missing, there twice, or of an earlier time than the one before.
schema='CREATE TABLE ev (run String, n Int32, u Nullable(UInt64), ts DateTime64(3) NOT NULL) ENGINE = MergeTree
PARTITION BY toMonday(ts) ORDER BY ts;'
echo "$schema" >schema.sql
evschema -q apply store schema.sql
row() { # row RUN N DAY SECOND
	printf '{"run":"%s","n":%s,"u":%s,"ts":"2025-01-%02dT00:00:%02dZ"}\n' "$1" "$2" "${5:-$2}" "$3" "$4"
}
{ for i in 1 2 3 4; do row sound $i 7 $i; done; } | evappend -q store/ev
status evcheck --sequence run,n store/ev; sed 's/[0-9.]* [KM]*B:/N:/' err
{
	row gap 1 7 1; row gap 3 7 2; row gap 9 20 3    # over partitions
	row twice 1 7 1; row twice 2 7 2; row twice 2 7 3; row twice 2 8 1; row twice 3 8 2
	row back 0 7 1; row back 1 7 9; row back 2 7 8
	row late 7 7 1; row late 8 7 2
	row none null 7 1
	row below -2 7 1; row below 1 7 2
} | evappend -q store/ev
status evcheck --sequence run,n store; sed 's/[0-9.]* KB:/N:/' err
status evcheck -q --sequence run,n --quick -o json store/ev | jq -c '[.kind, .rule, .what]' 2>/dev/null
status evcheck -q --sequence run,u store/ev | wc -l
# Columns that are not there, or do not count.
for s in run,ts run,nn x,n run,run; do status evcheck -q --sequence $s store/ev; cat err; done
