. "$CLI/lib.sh"

# The first bad line stops the run; everything before it is stored.
make_stream
rows | sed 's/"id":3/"id":"three"/' >x
status evappend --strict store/events x
grep -c '^evappend: x:3: .* (offset 187)$' err
wc -l <err
account
evcat -c id store/events

# So does a time with more digits than its column holds, which else loses them.
echo '{"id":9,"tenant":"acme","at":"2025-01-06T00:00:09.0005Z"}' >y
status evappend --strict store/events y
grep -o 'more digits than the column holds' err
status evappend store/events y
evcat -w 'id = 9' -c at store/events
