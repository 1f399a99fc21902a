. "$CLI/lib.sh"

# A torn end is set aside, as by the next writer, and stays beside the segment.
make_stream
segment=store/events/acme/2025-01-06.evs
rows | sed -n 1p | evappend -q store/events
rows | sed -n 2p | evappend -q store/events
size=$(wc -c <$segment)
rows | sed -n 3p | sed 's/"tenant":"[a-z]*"/"tenant":"acme"/; s/2025-01-[0-9]*/2025-01-08/' | evappend -q store/events
head -c $((size + 60)) $segment >cut && cp cut $segment
evcompact --all store/events 2>&1 | sed "s/$size/SIZE/" | compacted; echo "exit $?"
ls store/events/acme | sed "s/$size/SIZE/"
evcat -c id store/events
evcat -q store/events >/dev/null; echo "exit $?"
