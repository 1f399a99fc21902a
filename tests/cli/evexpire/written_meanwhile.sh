. "$CLI/lib.sh"

# A row that comes while evexpire waits was not written in its future: the clock is asked when the segment is judged.
make_store
touch store/events/expire.lock
hold store/events/expire.lock
evexpire --older-than 2025-01-13 store 2>err & pid=$!
until ls -l /proc/$pid/fd 2>/dev/null | grep -q expire.lock; do sleep 0.01; done
rows | head -n 1 | evappend -q store/events
touch let-go
wait $pid; echo "exit $?"
sed 's/, [0-9.]* KB$//' err
ls store/events/acme store/events/zeta
