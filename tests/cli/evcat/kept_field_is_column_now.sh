. "$CLI/lib.sh"

# A field that a row kept because no column had its name is the column's value when there is one by now; what
# does not fit, or would lose digits, stays what it was and is printed once.
make_stream
cat >x <<'X'
{"id":1,"tenant":"a","at":"2025-01-06T00:00:00.000Z","host":"h1","p\u006frt":80,"rest":true}
{"id":2,"tenant":"a","at":"2025-01-06T00:00:01.000Z","host":[1],"port":"eighty","seen":"2025-01-06T00:00:00.5Z"}
{"id":3,"tenant":"a","at":"2025-01-06T00:00:02.000Z","host":null,"port":null,"seen":"2025-01-06T00:00:00Z"}
{"id":4,"tenant":"a","at":"2025-01-06T00:00:03.000Z"}
X
evappend -q store/events x
schema | sed 's/^    n Nullable(Int32),/&\n    host String DEFAULT '"'none'"', port Nullable(Int32), seen DateTime DEFAULT 0, tags Array(String),/' >new.sql
evschema -q apply store new.sql
echo '{"id":5,"tenant":"a","at":"2025-01-06T00:00:01.000Z","host":"h2","port":8,"rest":false}' >y
evappend -q store/events y
evcat store/events
evcat --nulls --sort 'port DESC' store/events
evcat -o csv -c id,host,port,seen,_extra store/events
evcat -c id -w "host = 'h1' OR port < 10 OR seen = '2025-01-06T00:00:00Z'" store/events
evcat -c id -k host=h1 store/events
evagg -q 'SELECT host, sum(port) AS ports FROM events GROUP BY host ORDER BY host' store
evcat --latest host -c id,host store/events
# What comes out may go in again, and is the same then.
evcat store/events >all
evschema -q apply store2 new.sql
evcat store/events | evappend -q store2/events; echo "exit $?"
jq -r .reason store2/events/rejects.ndjson
