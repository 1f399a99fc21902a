. "$CLI/lib.sh"

# A store's or a tenant's folder is not made a stream: that would hide what is in it. "." is the folder's own name.
make_stream
rows | evappend -q store/events
rows | status evappend store
rows | status evappend store/events/acme
find store -name schema.sql
mkdir -p other/dot
cd other/dot
rows | evappend -q .
grep -c '^CREATE TABLE dot' schema.sql
evcat -c id ../dot
