. "$CLI/lib.sh"

# A source has a name, of at most 1,024 bytes.
make_stream
name() { head -c "$1" /dev/zero | tr '\0' s; }
rows | status evappend --source "" store/events; cat err
rows | status evappend --source "$(name 1025)" store/events; cut -c1-100 err
rows | status evappend --source "$(name 1024)" store/events; account
rows | status evappend --source "$(name 1024)" store/events; account
rows | status evappend --source "$(name 1023)" store/events; account
