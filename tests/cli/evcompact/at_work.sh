. "$CLI/lib.sh"

# A writer, readers and one who follows see every row once while the segments are compacted again and again.
make_stream
[ -z "${EVS_WRAP:-}" ] || skip "too slow to be at work at once"
end=$(($(date +%s) + 5))
at_work() { [ "$(date +%s)" -lt $end ]; }
{
	n=0
	while at_work; do
		seq $((n + 1)) $((n + 40)) | sed 's/.*/{"id":&,"tenant":"t","at":"2025-01-06T00:00:00.000Z","message":"m &"}/'
		n=$((n + 40))
		echo $n >given
		sleep 0.02
	done
} | evappend -q --ack --flush-rows 7 store/events >acks & writer=$!
while [ ! -s acks ]; do sleep 0.05; done
evcat -f -c id store/events >followed 2>follower.err & follower=$!
# --now passes over the time that followers are given, so this one is waited for: it has a row that only the new file has.
acked() { jq -s 'map(.rows) | add // 0' acks 2>/dev/null || echo 0; }
compact() {
	evcompact -q "$@"
	n=$(acked)
	while at_work && [ "$(wc -l <followed)" -le "$n" ]; do sleep 0.1; done
}
while at_work; do
	compact store
	compact --now 2099-01-01 store/events/t
	sleep 0.3
done >compact.err 2>&1 & compacter=$!
while at_work; do
	acked=$(acked)
	evcat -c id store/events >rows || echo "exit $?"
	[ -z "$(sort rows | uniq -d)" ] && [ "$(wc -l <rows)" -ge "$acked" ] || echo "wrong: $(wc -l <rows) rows, $acked acknowledged"
done
wait $writer $compacter
i=0; while [ "$(wc -l <followed)" -lt "$(cat given)" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i + 1)); done
kill $follower
for f in followed rows; do
	[ $f = rows ] && evcat -c id store/events >rows
	jq .id $f | sort -n >ids
	seq 1 "$(cat given)" | cmp - ids && echo "$f: all, once"
done
cat follower.err compact.err
find store -name '.*'
