. "$CLI/lib.sh"

# A writer that was killed may have made the tenant's folder without syncing the stream's: the next one,
# which only finds it there, syncs both before it acknowledges (spec/store.md 4).
[ "${EVS_CONFIG:-release}" = release ] && [ -z "$EVS_WRAP" ] || skip "needs the release programs"
strace -o /dev/null true 2>/dev/null || skip "strace cannot trace here"
make_stream
mkdir store/events/acme
echo torn >store/events/acme/.2025-01-06.evs.new
rows | head -n 1 >x
strace -f -y -o calls -e trace=fsync,fdatasync,rename,write evappend -q --ack store/events x >acks
sed -n 's/^[0-9]* *//; s/\(.*\)sync([0-9]*<.*\/store\/\(.*\)>.*/\1sync \2/p; s/^rename(.*/rename/p; s/^write(1<.*/ack/p' calls
rows | sed -n 2p | evappend -q store/events
evcat -c id store/events
