. "$CLI/lib.sh"

# Copied, verified, and then dropped; the archive is a store.
make_store
echo tail >store/events/acme/2025-01-06.evs.tail-1000
evcat store/events >all
cp store/events/zeta/2025-01-06.evs zeta.evs
evexpire --older-than 2025-01-13 --archive-to old store; echo "exit $?"
find old store -type f | sort
evcat old/events >moved; evcat store/events >stays
cat moved stays >parts; same_rows all parts
grep -o '"what":"dropped".*"segment":"[^"]*"\|"archive":.*' store/events/expired.ndjson |
	sed "s|$PWD/||"
echo "# a copy that is there already is fine"
mkdir store/events/zeta 2>/dev/null; cp zeta.evs store/events/zeta/2025-01-06.evs
evexpire --older-than 2025-01-13 --archive-to old store; echo "exit $?"
echo "# another one is not, nor one that is damaged the same way"
rows | evappend -q store/events 2>/dev/null
evexpire --older-than 2025-01-13 --archive-to old store 2>err; echo "exit $?"; sed "s|$PWD/||" err
# (both segments have another id by now)
size=$(stat -c %s store/events/zeta/2025-01-06.evs)
printf '\377\377' | dd of=store/events/zeta/2025-01-06.evs bs=1 seek=$((size - 700)) conv=notrunc 2>/dev/null
rm -r old/events/zeta
evexpire --older-than 2025-01-13 --tenant zeta --archive-to old store 2>err; echo "exit $?"
sed "s/ (offset.*//; s|$PWD/||" err
find old store -name '*.evs' -o -name '.*' | sort
echo "# not into itself"
for d in store store/events store/events/old ./store/../store; do
	evexpire --older-than 2025-01-13 --archive-to $d store; echo "exit $?"
done
ls store
echo "# the archive's schema follows"
schema | sed 's/n Nullable(Int32)/&, more Nullable(Int32)/' >schema.sql
evschema -q apply store schema.sql
evexpire --older-than 2025-01-20 --archive-to old store/events/*/2025-01-13.evs; echo "exit $?"
cmp store/events/schema.sql old/events/schema.sql && echo "the same schema"
echo "# and does not go together with just any"
mkdir -p other && echo 'CREATE TABLE events (at Date, x Int8) ORDER BY x;' | evschema -q apply other -
evexpire --older-than 2025-01-20 --archive-to other store; echo "exit $?"
echo "# a name that is no UTF-8"
rows | evappend -q store/events 2>/dev/null
latin=$(printf 'caf\351')
evexpire -q --tenant acme --older-than 2025-01-13 --archive-to "$latin" store/events; echo "exit $?"
jq -r .archive store/events/expired.ndjson | tail -n 1 | sed 's|.*/caf|caf|'
