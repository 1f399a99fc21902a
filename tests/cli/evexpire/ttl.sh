. "$CLI/lib.sh"

# A week goes 90 days after its end, at that second and not before, whatever the time zone.
schema | sed 's/ ORDER BY (at, id)/& TTL toDateTime(at) + INTERVAL 90 DAY/' >schema.sql
evschema -q apply store schema.sql
rows | evappend -q store/events
evexpire --now 2025-04-12T23:59:59.999Z store; echo "exit $?"
for zone in UTC America/New_York Pacific/Kiritimati; do
	TZ=$zone evexpire -n -o csv --now 2025-04-13T00:00:00Z store 2>/dev/null | cut -d , -f 2-5,7
done
evexpire --now 2025-04-13T00:00:00Z store; echo "exit $?"
ls store/events store/events/*
ledger
# Nothing to do is fine; and nothing without a TTL.
evexpire --now 2025-04-13T00:00:00Z store; echo "exit $?"
make_stream >/dev/null && evexpire store; echo "exit $?"
