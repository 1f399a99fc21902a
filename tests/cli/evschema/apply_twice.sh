. "$CLI/lib.sh"

schema >schema.sql
evschema apply store schema.sql; echo "exit $?"
cp store/events/schema.sql before
evschema apply store schema.sql; echo "exit $?"
evschema apply -q store - <schema.sql; echo "exit $?"
cmp before store/events/schema.sql && ls store
