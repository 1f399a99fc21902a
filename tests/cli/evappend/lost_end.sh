. "$CLI/lib.sh"

# A segment comes into being with its first commit. One that holds none has lost its end, and a new first
# commit would hide that: nothing is appended, and nothing is changed.
make_stream
rows | head -n 1 | evappend -q store/events
segment=store/events/acme/2025-01-06.evs
size=$(wc -c <$segment)
head -c $((size - 129)) $segment >cut && cp cut $segment
rows | sed -n 2p | status evappend store/events
grep -c "^evappend: $segment: the segment has lost its end" err
cmp cut $segment
ls store/events/acme
