. "$CLI/lib.sh"

# Commits become one run; rows are the same before and after, a second run finds nothing to do, and what is appended
# later follows.
make_stream
for i in 1 2 3 4 5 6 7 8 9; do
	seq $i 9 3000 | sed 's/.*/{"id":&,"tenant":"a","at":"2025-01-06T00:00:00.000Z","message":"m &","n":&}/' | evappend -q store/events
done
rows | evappend -q store/events
evcat store | sort >before
evcompact store 2>&1 | compacted
evcat store | sort | cmp - before
evcat -c id store/events/a | jq .id | sort -nc && echo sorted
evcompact store 2>&1 | compacted
evcompact --dry-run store 2>&1 | compacted
rows | evappend -q store/events
evcat store | wc -l
evcompact -q --dry-run store/events/a
# Nothing else lies beside the segments.
find store -type f | sort
