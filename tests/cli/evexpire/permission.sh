. "$CLI/lib.sh"

# What may not be touched is named, and the rest is done.
[ "${EVS_CONFIG:-}" != coverage ] || skip "another user cannot write the counts of what ran"
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; else "$@"; fi; }
chmod 755 .
as evexpire --version >/dev/null 2>&1 || skip "needs another user than root, who can run the programs"
make_store
[ "$(id -u)" != 0 ] || { chmod 755 . && chown -R 65534 store; }
chmod a-w store/events/acme
chmod a-rw store/events/zeta/2025-01-13.evs
as evexpire --older-than 2025-01-20 store; echo "exit $?"
find store -name '*.evs*' | sort
grep -o '"what":"[a-z]*","segment":"[^"]*"' store/events/expired.ndjson
chmod u+rw store/events/zeta/2025-01-13.evs
chmod a-rx store/events/acme
as evstat -q -o csv store | cut -d , -f 2-5; as evstat -q store >/dev/null; echo "exit $?"
as evexpire --older-than 2025-01-20 store; echo "exit $?"
find store -name '*.evs*' | sort
chmod a-w store/events; as evexpire --older-than 2025-01-20 store; echo "exit $?"
