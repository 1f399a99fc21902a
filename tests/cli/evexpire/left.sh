. "$CLI/lib.sh"

# What cannot go is named, and the rest is done.
make_store
mkdir store/other store/events/moved
cp store/events/acme/2025-01-06.evs store/events/moved
head -c 20000 /dev/zero >store/events/zeta/2025-01-06.evs
evexpire --older-than 2025-01-20 store nowhere store/other; echo "exit $?"
find store -type f | sort
# One that is being written is waited for, or left.
rows | evappend -q store/events 2>/dev/null
hold store/events/acme/2025-01-13.evs
evexpire --no-wait --older-than 2025-01-20 store/events/acme; echo "exit $?"
ls store/events/acme
(sleep 0.2; echo >let-go) &
evexpire --older-than 2025-01-20 store/events/acme; echo "exit $?"
ls store/events
# A schema that is none: nothing of that stream goes.
echo 'CREATE TABLE x (' >store/events/schema.sql
evexpire --older-than 2025-01-20 store; echo "exit $?"
