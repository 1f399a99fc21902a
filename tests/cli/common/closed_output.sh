. "$CLI/lib.sh"

# A full disk behind stdout is exit 4; a reader that leaves is quiet.
make_store
evcat store/events >/dev/full; echo "exit $?"
evschema show store/events >/dev/full; echo "exit $?"
evcat store/events >&-; echo "exit $?"
i=0; while [ $i -lt 2000 ]; do rows; i=$((i + 1)); done | evappend -q store/events
evcat store/events | head -n 1 >first; wc -l <first
