. "$CLI/lib.sh"

# A query in cron is an alert; -e is the other way round.
make_store
evagg --fail-if-any -w "level = 'error'" --having "count > 0" store/events; echo "exit $?"
evagg --fail-if-any -w "level = 'error'" --having "count > 5" store/events; echo "exit $?"
evagg -e -q "SELECT id FROM events WHERE id = 1" store; echo "exit $?"
evagg -e -q "SELECT id FROM events WHERE id = 9" store; echo "exit $?"
# Damage costs its rows: exit 3, whatever the answer, which is of the rest.
f=store/events/zeta/2025-01-06.evs
head -c 2000 /dev/zero >$f
evagg -q "SELECT count() AS n FROM events" store 2>err; echo "exit $?"
grep -c "^evagg: $f" err
evagg --fail-if-any -q "SELECT count() AS n FROM events" store 2>/dev/null; echo "exit $?"
