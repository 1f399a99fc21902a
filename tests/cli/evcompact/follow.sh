. "$CLI/lib.sh"

# Who follows a segment sees every row once, whatever compaction did to the file meanwhile and however late the reader looks.
make_stream
n=0
more() {
	seq $((n + 1)) $((n + $1)) | sed 's/.*/{"id":&,"tenant":"a","at":"2025-01-06T00:00:00.000Z"}/' |
		evappend -q --flush-rows 3 store/events
	n=$((n + $1))
}
upto() {
	i=0
	while [ "$(wc -l <out)" -lt "$1" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
	jq .id out | sort -n | uniq -c | awk -v n="$1" '$1 != 1 || $2 != NR { print "wrong:", $0 } END { print NR == n ? "each once" : NR }'
}
more 10
: >out
evcat -f -c id store/events >out 2>err & pid=$!
upto 10
# read to its end before it is compacted, and appended to afterwards
evcompact -q --all store; more 5; upto 15
# not read to its end
kill -STOP $pid; more 7; evcompact -q --all store; more 3; kill -CONT $pid; upto 25
# twice, with nothing in between
kill -STOP $pid; more 2; evcompact -q --all store; evcompact -q --all --level 3 store; more 1; kill -CONT $pid; upto 28
# nothing new at all
evcompact -q --all store; evcompact -q --all store; sleep 0.5; upto 28
cat err
# a segment that was dropped and made anew is another one
kill -STOP $pid; more 2; rm store/events/a/2025-01-06.evs; more 2; evcompact -q --all store; kill -CONT $pid; upto 32
cat err
# Rows that came and were folded twice while nobody looked are told, for they cannot be told from others any more.
kill -STOP $pid; evcompact -q --all store; more 3; evcompact -q --all store; more 2; kill -CONT $pid
i=0; while [ "$(wc -l <out)" -lt 34 ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
wc -l <out; cat err
kill $pid; wait $pid 2>/dev/null
