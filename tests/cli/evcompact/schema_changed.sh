. "$CLI/lib.sh"

# Old rows are brought to the stream's schema: wider types, new columns with and without a default, fields that a row kept
# when no column had their name. Answers are the same before and after.
make_stream
echo '{"id":1,"tenant":"a","at":"2025-01-06T00:00:00.000Z","n":7,"host":"h1","port":[80],"zone":5,"rest":true}' | evappend -q store/events
echo '{"id":2,"tenant":"a","at":"2025-01-06T00:00:03.000Z","n":-1,"message":"x"}' | evappend -q store/events
schema | sed 's/^    n Nullable(Int32),/    n Nullable(Int64),\n    host String DEFAULT '"'none'"', port Nullable(JSON), zone Nullable(String),/' >new.sql
evschema -q apply store new.sql
echo '{"id":3,"tenant":"a","at":"2025-01-06T00:00:01.000Z","n":9007199254740993,"host":"h2","rest":false}' | evappend -q store/events
echo '{"id":4,"tenant":"a","at":"2025-01-06T00:00:02.000Z","port":8,"zone":"z"}' | evappend -q store/events
ask() {
	evcat --sort id store/events
	evcat --nulls --sort id store/events
	evcat --sort id -c host,port,id store/events
	evagg -q "SELECT host, count() AS k, sum(n) AS s FROM events GROUP BY host ORDER BY host" store
	evagg -q "SELECT * FROM events WHERE host = 'none' ORDER BY id" store
}
ask >before
evcompact -q --all store; echo "exit $?"
ask >after
diff before after && cat after
evcompact -q --all store
ask | cmp - before
evschema show store/events/a/2025-01-06.evs | grep -c host
