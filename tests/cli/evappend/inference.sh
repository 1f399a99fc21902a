. "$CLI/lib.sh"

# Without a schema one is inferred and written down; the rows come back the same.
"$TESTS/gen_rows.py" --rows 2000 >x
status evappend store/task_events x
account
grep -o 'timestamp' err | head -n 1; grep -o 'tenant_id' err | head -n 1
[ -s store/task_events/schema.sql ] && evschema check store store/task_events/schema.sql; echo "exit $?"
evcat store/task_events >out; same_rows x out
ls store/task_events | grep -c -v schema.sql
