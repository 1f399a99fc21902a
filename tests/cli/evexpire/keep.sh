. "$CLI/lib.sh"

# Tenants with a time of their own, in force at once, whatever the schema and the command say.
schema | sed 's/ ORDER BY (at, id)/& TTL at + INTERVAL 90 DAY/' >schema.sql
evschema -q apply store schema.sql
rows | evappend -q store/events
evexpire --show store/events
evexpire --keep forever --tenant acme store/events
evexpire --keep 30d --tenant zeta --tenant 'who "knows"' --show store/events; echo "exit $?"
cat store/events/keep.json
would() { evexpire -n -o csv "$@" store 2>/dev/null | cut -d , -f 2,3,7 | tail -n +2; }
echo "# 30 days after its end, zeta's week goes; acme's never"
would --now 2025-02-11T23:59:59Z
would --now 2025-02-12T00:00:00Z
would --now 2035-01-01 --older-than 1d
evexpire --keep default --tenant acme --tenant 'who "knows"' store/events
echo "# and by the TTL again"
would --now 2025-04-12T23:59:59Z
would --now 2025-04-13T00:00:00Z
cat store/events/keep.json
for k in 0d soon 1 "" -1d; do evexpire --keep "$k" --tenant a store/events; echo "exit $?"; done
evexpire --keep 1d --tenant a store; echo "exit $?"
evexpire --show nowhere; echo "exit $?"
# While a run is at work, it is waited for.
hold store/events/expire.lock
(sleep 0.2; echo x >let-go; [ -e set ] && echo "too early") &
evexpire --keep 1mo --tenant late --show store/events; touch set
wait
# A file that is no such object: nothing goes.
echo '{"acme":"soon"}' >store/events/keep.json
evexpire --now 2035-01-01 store; echo "exit $?"
ls store/events
# Without tenants, the schema says it.
echo 'CREATE TABLE one (at DateTime) ORDER BY at;' | evschema -q apply store -
evexpire --keep 1d --tenant a store/one; echo "exit $?"
