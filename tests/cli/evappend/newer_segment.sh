. "$CLI/lib.sh"

# A segment that only a newer evseg understands costs its own rows and no others: it is named, left as it is, and
# the exit status is 3.
make_store
newer=store/events/acme/2025-01-06.evs
cp "$TESTS/../corpus/bad/4.1-3-refuse-features.evs" $newer
cksum <$newer >before
rows | status evappend store/events
sed 's/; .*//' err
cksum <$newer | cmp - before && echo "left as it was"
evcat --tenant zeta store/events | wc -l
