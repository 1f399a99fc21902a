. "$CLI/lib.sh"

# New columns may come at any time; old segments answer through the new schema.
make_store
schema | sed 's/^    n Nullable(Int32),/&\n    host String DEFAULT '"'none'"',/' >new.sql
evschema apply store new.sql 2>err; echo "exit $?"; grep -o '^evschema: events: changed' err
evcat --tenant acme -c id,host store/events
