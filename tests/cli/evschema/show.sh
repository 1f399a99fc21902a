. "$CLI/lib.sh"

# What show prints makes the same stream again, from a store, a stream, a tenant or a segment.
make_store
evschema show store >all.sql
for p in store/events store/events/acme store/events/acme/2025-01-06.evs; do
	evschema show "$p" >shown.sql && cmp all.sql shown.sql
done
evschema -q apply other all.sql && evschema check other schema.sql; echo "exit $?"
