. "$CLI/lib.sh"

# gzip and zstd, told by their first bytes, from files and from pipes.
make_stream
rows | gzip >a.gz; rows | zstd -q >b.zst; rows | gzip >plain_name
status evappend store/events a.gz b.zst plain_name; account
gzip -c a.gz >/dev/null; cat a.gz | status evappend store/events; account
cat b.zst | status evappend store/events -; account
status evappend store/events <b.zst; account
evcat store/events | wc -l
