. "$CLI/lib.sh"

# A field that a row kept because no column had its name is printed once when a column has it by now,
# whether that has a default, is null and asked for, or not; so is what a row of later has.
make_stream
echo '{"id":1,"tenant":"a","at":"2025-01-06T00:00:00.000Z","host":"h1","p\u006frt":[80],"rest":true}' >x
evappend -q store/events x
schema | sed 's/^    n Nullable(Int32),/&\n    host String DEFAULT '"'none'"', port Nullable(JSON), zone Nullable(String),/' >new.sql
evschema -q apply store new.sql
echo '{"id":2,"tenant":"a","at":"2025-01-06T00:00:01.000Z","host":"h2","rest":false}' >x
echo '{"id":3,"tenant":"a","at":"2025-01-06T00:00:02.000Z","port":8}' >>x
evappend -q store/events x
evcat store/events
evcat --nulls store/events
evcat -c host,id store/events
# What comes out may go in again.
evcat --nulls store/events | evappend -q store2/events; echo "exit $?"
