. "$CLI/lib.sh"

# A torn end, and a damaged copy of a trailer, are mended by who compacts, not by who only looks.
make_store
rows | evappend -q store/events
printf 'torn' >>store/events/acme/2025-01-06.evs
file=store/events/zeta/2025-01-06.evs
printf 'X' | dd of=$file bs=1 seek=$(($(wc -c <$file) - 60)) conv=notrunc status=none
find store -type f | sort | xargs md5sum >sums
evcompact --dry-run --all store 2>&1 | sed 's/"bytes":[0-9]*/"bytes":N/' | compacted
find store -type f | sort | xargs md5sum | diff sums - && echo "nothing has changed"
evcompact --all store 2>&1 | sed 's/were set aside.*/.../' | compacted
