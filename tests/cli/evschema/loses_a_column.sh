. "$CLI/lib.sh"

# A change that stored rows could not follow is refused, and changes nothing.
make_store
cp store/events/schema.sql before
schema | grep -v 'n Nullable' >new.sql
status evschema -q apply store new.sql
grep -c '^evschema: ' err
cmp before store/events/schema.sql && evcat -n 1 -c n store/events
