. "$CLI/lib.sh"

# What cannot be read is named, and the rest is told.
make_store
head -c 20000 /dev/zero >store/events/zeta/2025-01-06.evs
size=$(stat -c %s store/events/acme/2025-01-06.evs)
printf '\377\377' | dd of=store/events/acme/2025-01-06.evs bs=1 seek=$((size - 300)) conv=notrunc 2>/dev/null
evstat -o csv store nowhere >out; echo "exit $?"
cut -d , -f 2,3,5 out
evstat --by stream -o csv store 2>/dev/null | cut -d , -f 1-4,17
