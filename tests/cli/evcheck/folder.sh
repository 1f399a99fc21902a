. "$CLI/lib.sh"

# What lies around the segments: remarks, which are no findings; -q does without them.
make_store
cd store || exit
mkdir nothing events/acme/folder
: >events/expired.ndjson; : >events/keep.json; : >events/expire.lock
for f in note.txt events/note.txt events/rejects.ndjson.tail-3.ndjson events/schema.sql.tmp events/acme/.2025-01-20.evs.new events/acme/.2025-01-06.evs.expired \
	events/acme/2025-01-06.evs.tail-900 events/acme/2025-01-06.evs.bak events/acme/young.new; do
	echo x >$f
	touch -d '2 hours ago' $f
done
printf '{"line":1}\n{"li' >events/rejects.ndjson
cd ..
status evcheck store; sed 's/[0-9.]* KB/N KB/' err
status evcheck -q store; cat err
# Files that a writer is making just now are no leftovers.
touch store/events/acme/.2025-01-20.evs.new store/events/schema.sql.tmp
status evcheck store/events; ! grep 'left over' err
