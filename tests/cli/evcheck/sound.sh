. "$CLI/lib.sh"

# What is sound is told on stderr in one line, or not at all, and the exit status is 0.
make_store
sizes() { sed 's/[0-9.]* KB/N KB/' err; }
status evcheck store && sizes
status evcheck --quick store/events store/events/acme store/events/acme/2025-01-06.evs && sizes
status evcheck -q store && sizes
status evcheck -o json -q store
# A segment that was copied out of its store is checked by itself, whatever its name.
cp store/events/acme/2025-01-06.evs copy.evs
status evcheck copy.evs && sizes
# An empty store.
mkdir empty && status evcheck empty && sizes
