. "$CLI/lib.sh"

# A segment that another keeps locked is left alone and named; so is one at which another evcompact is at work. What a killed one
# left behind goes.
make_store
segment=store/events/acme/2025-01-06.evs
hold() {
	python3 -c '
import fcntl, struct, sys, time
f = open(sys.argv[1], "a+b")
fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
print("held", flush=True)
time.sleep(60)' "$1" >held &
	pid=$!
	while [ ! -s held ]; do sleep 0.05; done
}
hold store/events/acme/.2025-01-06.evs.compact
evcompact --all store 2>&1 | compacted; echo "exit $?"
evcompact -q --all $segment; echo "exit $?"
ls -A store/events/acme
kill $pid; wait $pid 2>/dev/null
echo rubbish >store/events/acme/.2025-01-06.evs.compact
echo rubbish >store/events/acme/.2024-01-01.evs.compact
evcompact store 2>&1 | compacted
ls -A store/events/acme
