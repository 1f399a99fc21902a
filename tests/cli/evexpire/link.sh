. "$CLI/lib.sh"

# A segment that is a link is left, and so is what it leads to: the ledger would say that it has gone. A tenant's folder may be one.
make_store
mkdir other
mv store/events/acme/2025-01-06.evs other/moved
ln -s ../../../other/moved store/events/acme/2025-01-06.evs
mv store/events/zeta other/zeta
ln -s ../../other/zeta store/events/zeta
evexpire -q --older-than 2025-01-13 store; echo "exit $?"
evexpire -q --drop store/events/acme/2025-01-06.evs; echo "exit $?"
evexpire -n --older-than 2025-01-13 store >/dev/null; echo "exit $?"
ls store/events/acme other other/zeta
ledger | grep -o '"what":"dropped","segment":"[^"]*"'
evcat store/events | wc -l
