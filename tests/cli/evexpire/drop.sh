. "$CLI/lib.sh"

# Segments by name, whatever their time, sound or not; the bytes set aside from them go along.
make_store
cp store/events/acme/2025-01-06.evs copy.evs
echo tail >store/events/acme/2025-01-06.evs.tail-1000
echo other >store/events/acme/2025-01-13.evs.tail-7
head -c 10 /dev/zero | dd of=store/events/zeta/2025-01-06.evs conv=notrunc 2>/dev/null
evexpire --drop store/events/*/2025-01-06.evs; echo "exit $?"
find store -type f | sort
ledger
# Only segments, and only of a store.
evexpire --drop store/events; echo "exit $?"
mkdir -p else/where && mv copy.evs else/where/2025-01-06.evs && evexpire --drop else/where/2025-01-06.evs; echo "exit $?"
evexpire --drop store/events/acme/2025-01-06.evs; echo "exit $?"
evexpire --older-than 2999-01-01 store; echo "exit $?"
# The last one takes the folder along.
cd store/events/zeta && evexpire --drop 2025-01-13.evs
ls ../..//events
