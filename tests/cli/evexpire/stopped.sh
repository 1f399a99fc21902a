. "$CLI/lib.sh"

# SIGTERM ends a run that waits for a writer; what was taken before it has gone, and the ledger says so.
make_store
hold store/events/zeta/2025-01-06.evs
evexpire --older-than 2025-01-13 store 2>err &
pid=$!
while [ -e store/events/acme/2025-01-06.evs ]; do sleep 0.01; done
sleep 0.1
kill -TERM $pid
wait $pid; echo "exit $?"
cat err
echo >let-go; wait
find store -name '*.evs' | sort
ledger | cut -c 1-60
