. "$CLI/lib.sh"

# A damaged segment is named and left as it is; the others are worked on, and the exit status is 3.
make_store
segment=store/events/acme/2025-01-06.evs
rows | evappend -q store/events
cp $segment sound
# the newest commit's group, an older commit's, and an old COMMIT
for at in 1200 $(($(wc -c <sound) - 900)); do
	cp sound $segment
	printf XY | dd of=$segment bs=1 seek=$at conv=notrunc status=none
	cp $segment damaged
	evcompact --all store 2>err; echo "exit $?"
	grep -c "^evcompact: $segment: .* (offset" err
	cmp $segment damaged
	find store -name '.*'
done
# no end, no head, no segment
head -c 700 sound >$segment
evcompact -q store 2>err; echo "exit $?"; grep -c "^evcompact: $segment: " err
echo 'no segment' >$segment
evcompact -q store 2>err; echo "exit $?"; grep -c "^evcompact: $segment: " err
evcat store/events/zeta | wc -l
