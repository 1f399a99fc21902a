. "$CLI/lib.sh"

# An end that is no commit is told, since it could be a damaged one; the next writer sets it aside, cuts
# it off and goes on.
make_stream
rows | head -n 1 | evappend -q store/events
segment=store/events/acme/2025-01-06.evs
size=$(wc -c <$segment)
rows | sed -n 2p | evappend -q store/events
head -c $((size + 50)) $segment >cut && cp cut $segment
evcat -q -c id store/events 2>err; echo "exit $?"
grep -c "^evcat: $segment: .* (offset $size)" err
rows | sed -n 2p | status evappend store/events
evcat -c id store/events
ls store/events/acme | wc -l
