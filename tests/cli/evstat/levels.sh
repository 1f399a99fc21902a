. "$CLI/lib.sh"

# Two streams, by partition, tenant, stream and store; for programs and for people.
make_store
schema | sed 's/TABLE events/TABLE more/; s/ ORDER BY (at, id)/& TTL at + INTERVAL 90 DAY/' >more.sql
evschema -q apply store more.sql
rows | sed '1s/started/\\ud/' | evappend -q --now 2025-02-01T10:00:00Z --flush-rows 1 store/more
evexpire --tenant zeta --keep forever store/more
sed_bytes() { sed 's/"bytes":[0-9]*/"bytes":B/; s/"written":"2026[^"]*"/"written":"W"/; s/"written":"2[^0][^"]*"/"written":"W"/; s/"ratio":[0-9.]*/"ratio":R/; s/"written":"[^"]*"/"written":"W"/; s/"reject_bytes":[1-9][0-9]*/"reject_bytes":B/'; }
for by in partition tenant stream store; do
	evstat -q -o json --by $by --now 2025-04-13T00:00:00Z store | sed_bytes
done
evstat -q -b tenant -o csv --tenant zeta store/more | cut -d , -f 1-4
for by in partition stream; do
	evstat -q --by $by --now 2025-04-13T00:00:00Z store/more | sed 's/  *$//; s/202[5-9]-[0-9-]*T[0-9:]*Z *\([^ ]*\)$/W \1/'
done | grep -v '^$' | sed 's/[0-9.]* KB/N KB/; s/  */ /g'
# Numbers add up.
evstat -q -o json store | jq -s 'map(.bytes) | add' >a
evstat -q -o json --by store store | jq .bytes >b
find store -name '*.evs' -printf '%s\n' | jq -s add >c
cmp a b && cmp b c && echo "the same bytes"
