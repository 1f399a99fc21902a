. "$CLI/lib.sh"

# A store, a stream, a tenant, segments, in the order given.
make_store
evcat -c id store | wc -l
evcat -c id store/events/zeta
evcat -c id store/events/*/2025-01-13.evs
cp store/events/acme/2025-01-06.evs alone.evs
evcat -c id alone.evs
