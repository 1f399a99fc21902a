. "$CLI/lib.sh"

# A SummingMergeTree answers as if merged; what would not fit stays apart.
cat >schema.sql <<'SQL'
CREATE TABLE sums (hour DateTime NOT NULL, model String NOT NULL, n UInt8 NULL, cost Decimal(10, 2) NOT NULL, f Float64 NULL, note String NULL)
ENGINE = SummingMergeTree PARTITION BY toMonday(hour) ORDER BY (model, hour);
CREATE TABLE named (hour DateTime NOT NULL, a Int32 NOT NULL, b Int32 NOT NULL)
ENGINE = SummingMergeTree(b) PARTITION BY toMonday(hour) ORDER BY hour;
SQL
evschema -q apply store schema.sql
row() {
	printf '{"hour":"2025-01-06T0%s:00:00Z","model":"%s","n":%s,"cost":%s,"f":%s,"note":"%s"}\n' "$@"
}
{ row 1 a 1 0.10 0.5 first; row 1 b 2 -1.00 1 x; row 1 a 3 0.20 0.25 second; } | evappend -q store/sums
{ row 2 a 200 1 null third; row 1 a null 0.70 null fourth; row 2 a 100 2 1 fifth; } | evappend -q store/sums
evcat store/sums
echo; evcat -w "n = 4" -c cost,f,note store/sums
{ echo '{"hour":"2025-01-06T01:00:00Z","a":1,"b":2}'; echo '{"hour":"2025-01-06T01:00:00Z","a":5,"b":7}'; } | evappend -q store/named
echo; evcat store/named
