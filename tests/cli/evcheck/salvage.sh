. "$CLI/lib.sh"

# All rows that can be read go into a new segment, or a new store; what is salvaged is not touched.
make_store
rows | sed 's/started/again/' | evappend -q --source feed store/events
file=store/events/acme/2025-01-06.evs
at=$(grep -obUaP '\x89EVS\x02' "$file" | head -n 1 | cut -d: -f1)
printf 'x' | dd of="$file" bs=1 seek=$((at + 150)) conv=notrunc status=none
cp -r store before
status evcheck --salvage out.evs "$file"; sed 's/[0-9.]* KB/N KB/' err
evcat out.evs
status evcheck -q out.evs
ls -a | grep salvage
# Nothing is overwritten.
status evcheck --salvage out.evs "$file"; cat err
# Several segments make a store, with all that the stream has.
status evcheck --salvage out store; sed 's/[0-9.]* KB/N KB/' err
(cd out && find . -type f | sort)
cmp store/events/schema.sql out/events/schema.sql
status evcheck -q out
evcat store/events 2>/dev/null >1; evcat out/events >2; cmp 1 2 && wc -l <2
# What was absorbed of a source stays absorbed.
rows | sed 's/started/again/' | evappend -q --stats=json --source feed out/events 2>&1 | jq -c '[.stored, .duplicate]'
status evcheck -q out
mkdir -p loose/some && for f in store/events/*/*.evs; do cp $f loose/some/$(echo $f | tr / -); done
status evcheck -q --salvage other loose/some/*.evs | sed 's/offset [0-9]*/offset N/'
(cd other && find . -type f | sort)
diff -r store before && echo "as before"
# Without HEAD no checksum can be verified.
printf 'xxxxxxxx' | dd of=loose/some/store-events-acme-2025-01-06.evs bs=1 seek=56 conv=notrunc status=none
printf 'xxxxxxxx' | dd of=loose/some/store-events-acme-2025-01-06.evs bs=1 seek=10 conv=notrunc status=none
at=$(grep -obUaP '\x89EVS\x01' loose/some/store-events-acme-2025-01-06.evs | tail -n 1 | cut -d: -f1)
printf 'xxxxxxxx' | dd of=loose/some/store-events-acme-2025-01-06.evs bs=1 seek=$((at + 60)) conv=notrunc status=none
status evcheck --salvage none.evs loose/some/store-events-acme-2025-01-06.evs; ls none.evs 2>/dev/null; sed 's/[0-9.]* KB/N KB/' err
status evcheck --quick --salvage x loose/some; cat err
