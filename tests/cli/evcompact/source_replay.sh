. "$CLI/lib.sh"

# What a segment has absorbed of its sources is known after compaction, too.
make_stream
for s in one two three; do
	for i in 1 2 3; do
		rows | sed "s/\"id\":/\"id\":$i/" >$s.$i
		cat $s.[1-3] 2>/dev/null | evappend -q --source $s store/events
	done
done
evcat store | sort >before
evcompact -q --all store; echo "exit $?"
evcat store | sort | cmp - before
for s in one two three; do
	cat $s.* | evappend --source $s store/events 2>&1 | sed 's/; .*//'
	cat $s.* | { cat; rows; } | evappend --source $s store/events 2>&1 | sed 's/; .*//'
done
evcompact -q --all store; echo "exit $?"
cat one.* | evappend --source one store/events 2>&1 | sed 's/; .*//'
evcat store | wc -l
