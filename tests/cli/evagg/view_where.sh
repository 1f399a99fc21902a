. "$CLI/lib.sh"

# A condition on a view's columns that are the stream's rules out what need not be read below the view; the answer is the same.
schema >schema.sql
cat >>schema.sql <<'SQL'
CREATE VIEW plain AS SELECT tenant AS who, at, level, n + 1 AS m FROM events WHERE id < 100;
CREATE VIEW grouped AS SELECT tenant AS who, level, count() AS c, min(at) AS first FROM events GROUP BY who, level;
CREATE VIEW first3 AS SELECT tenant AS who, at FROM events ORDER BY at LIMIT 3;
CREATE VIEW by2 AS SELECT tenant AS who, at FROM events ORDER BY at LIMIT 2 BY who;
CREATE VIEW different AS SELECT DISTINCT tenant AS who, level FROM events;
SQL
evschema -q apply store schema.sql && rows | evappend -q store/events
echo 'CREATE VIEW nested AS SELECT who AS tenant, c * 10 AS c FROM grouped WHERE c > 0;' >>store/events/schema.sql
ask() {
	evagg --explain -q "$1" store >out 2>err || cat err
	cat out
	sed -n 's/^evagg: explain: //; s/  */ /g; /^segments\|^groups/p' err
	echo
}
ask "SELECT * FROM plain WHERE who = 'zeta' ORDER BY at"
ask "SELECT m FROM plain WHERE at >= '2025-01-13' AND m > 1"
ask "SELECT count() AS n FROM plain WHERE m = 8 AND level <> 'warn'"
ask "SELECT * FROM grouped WHERE who = 'acme' ORDER BY level"
ask "SELECT * FROM grouped WHERE who = 'acme' AND c = 1 AND level = 'error'"
ask "SELECT * FROM grouped WHERE first >= '2025-01-13'"
ask "SELECT * FROM nested WHERE tenant LIKE 'z%' OR tenant = 'acm'"
ask "SELECT count() AS n FROM first3 WHERE who = 'zeta'"
ask "SELECT * FROM by2 WHERE at > '2025-01-10'"
ask "SELECT * FROM different WHERE who > 'b'"
