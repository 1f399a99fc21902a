. "$CLI/lib.sh"

# What a crash leaves, state by state, and what the next run makes of it.
make_store
l=store/events/expired.ndjson
week() { # the line that says that a segment goes
	printf '{"time":"2026-01-01T00:00:00.000Z","what":"drop","segment":"%s","rows":1,"tails":["%s.tail-9","../x.tail-1"]}\n' "$1" "${1#*/}"
}
run() {
	evexpire --older-than 2020-01-01 store; echo "exit $?"
	tail -n +"$1" $l | sed 's/"time":"[^"]*"/"time":"T"/'
	find store/events -name '*.evs*' | sort
}
echo "# before anything happened"
week acme/2025-01-06.evs >$l
run 2
echo "# out of sight, tails still there"
week acme/2025-01-06.evs >>$l
touch store/events/acme/2025-01-06.evs.tail-9 store/events/acme/2025-01-06.evs.tail-8
mv store/events/acme/2025-01-06.evs store/events/acme/.2025-01-06.evs.expired
run 4
echo "# gone, and a late row made a new one"
week acme/2025-01-13.evs >>$l
mv store/events/acme/2025-01-13.evs store/events/acme/.2025-01-13.evs.expired
cp store/events/zeta/2025-01-13.evs store/events/acme/
run 6
echo "# half a rename"
week zeta/2025-01-06.evs >>$l
ln store/events/zeta/2025-01-06.evs store/events/zeta/.2025-01-06.evs.expired
run 8
echo "# gone with its folder"
week gone/2025-01-06.evs >>$l
run 10
echo "# dropped, not removed yet"
week zeta/2025-01-06.evs | sed 's/"drop"/"dropped"/' >>$l
cp store/events/zeta/2025-01-06.evs store/events/zeta/.2025-01-06.evs.expired
run 12
echo "# torn"
week zeta/2025-01-06.evs | head -c 60 >>$l
run 13
printf 'x\0y\n' >>$l
run 13
ls store/events
