. "$CLI/lib.sh"

# Two names that are no UTF-8 would be one in the rejects, and the second's be taken for written.
make_stream
for name in "$(printf 'a\377')" "$(printf 'a\376')"; do
	echo bad | evappend -q --source "$name" store/events; echo "exit $?"
done
for name in 'ä' 'ö'; do
	echo bad | evappend -q --source "$name" store/events; echo "exit $?"
done
jq -c .source store/events/rejects.ndjson
