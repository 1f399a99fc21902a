. "$CLI/lib.sh"

# Something else stands where the segment belongs: refused, and left alone.
make_stream
mkdir store/events/acme
echo 'my diary' >store/events/acme/2025-01-06.evs
rows | head -n 1 | status evappend store/events
grep -c 'store/events/acme/2025-01-06.evs' err
cat store/events/acme/2025-01-06.evs
