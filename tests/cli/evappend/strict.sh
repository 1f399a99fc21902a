. "$CLI/lib.sh"

# The first bad line stops the run; everything before it is stored.
make_stream
rows | sed 's/"id":3/"id":"three"/' >x
status evappend --strict store/events x
grep -c '^evappend: x:3: .* (offset 187)$' err
wc -l <err
account
evcat -c id store/events
