. "$CLI/lib.sh"

make_stream
rows | evappend -q --ack --flush-rows 2 --tenant ignored store/events | jq -s 'map(.rows) | add'
rows | evappend -q --ack --flush-rows 1 store/events | wc -l
