. "$CLI/lib.sh"

# Metrics by the rules of the format, in a file that is replaced as a whole.
make_store
echo broken | evappend -q store/events
mkdir -p 'we"ird\one/a'; cp store/events/schema.sql 'we"ird\one/a'
echo old >m.prom; ln m.prom before
evstat --prometheus m.prom --now 2026-01-01T00:00:00.5Z store 'we"ird\one' >out; echo "exit $?"
wc -c <out; cat before
python3 "$TESTS/evexposition.py" m.prom && echo valid
grep -v '^#' m.prom | sed 's/_bytes\(.*\) .*/_bytes\1 N/; s/last_write.* .*/last_write T/'
ls
evstat --prometheus nowhere/m.prom store; echo "exit $?"
evstat --prometheus m.prom nowhere 2>/dev/null; echo "exit $?"
