. "$CLI/lib.sh"

make_stream
evschema check store schema.sql; echo "exit $?"
{ schema; echo 'CREATE TABLE more (id UUID, at DateTime) ENGINE = MergeTree ORDER BY id;'; } >more.sql
evschema check store more.sql; echo "exit $?"
schema | sed 's/Nullable(Int32)/Nullable(Int64)/' >wider.sql
evschema check store wider.sql >out; echo "exit $?"; grep -o '^events: differs' out
evschema check -q store more.sql; echo "exit $?"
ls store
