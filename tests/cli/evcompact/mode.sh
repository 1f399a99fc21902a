. "$CLI/lib.sh"

# Who may not read a segment may not read what is made of it either, whatever the umask.
umask 022
make_store
rows | evappend -q store/events
modes() { (cd store && find . ../old -type f ! -name '*.lock' -printf '%m %P\n' 2>/dev/null | sort -k 2); }
chmod 600 store/events/*/*.evs
chmod 640 store/events/schema.sql
printf 'torn' >>store/events/zeta/2025-01-06.evs
evcompact -q --all store; echo "exit $?"
evexpire --keep 100d --tenant acme store/events
chmod 600 store/events/keep.json
evexpire --keep 10d --tenant zeta store/events
schema | sed 's/n Nullable(Int32)/n Nullable(Int64)/' | evschema -q apply store -
evexpire -q --older-than 2025-01-13 --archive-to old --now 2025-01-31 store; echo "exit $?"
modes
