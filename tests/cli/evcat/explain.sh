. "$CLI/lib.sh"

# What is passed over: tenants and partitions without opening a segment, groups by their zones.
make_store
evcat --explain -w "tenant = 'zeta' AND at >= '2025-01-13'" store 2>&1 | sed 's/[0-9.]* KB\|[0-9]* B/N/g'
# Zones are kept for groups that are large enough.
mkdir big && seq 1 3000 | sed 's/.*/{"id":&,"tenant":"t","at":"2025-02-03T00:00:00Z","n":&}/' >big.ndjson
evschema -q apply big schema.sql
evappend -q --flush-rows 1000 big/events <big.ndjson
evcat --explain -w "n > 2500" big 2>&1 >out | sed 's/[0-9.]* KB\|[0-9]* B/N/g'
wc -l <out
evcat --explain -k id=7 big 2>&1 | grep groups
