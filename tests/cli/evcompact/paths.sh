. "$CLI/lib.sh"

# A store of several streams, tenants, single segments and a copy outside of any stream; what is no store is an error.
make_store
schema | sed 's/events/other/' >other.sql
evschema -q apply store other.sql
rows | evappend -q store/other
rows | evappend -q store/events
evcompact --all store 2>&1 | compacted
rows | evappend -q store/events
evcompact --all store/events/acme store/events/*/2025-01-13.evs store/other 2>&1 | compacted
cp store/events/acme/2025-01-06.evs alone.evs
evcompact --all alone.evs 2>&1 | compacted
evcat alone.evs | sort >a; evcat store/events/acme/2025-01-06.evs | sort | cmp - a
mkdir empty && echo x >empty/x
evcompact empty; echo "exit $?"
evcompact nothing; echo "exit $?"
evcompact -q store nothing; echo "exit $?"
