. "$CLI/lib.sh"

# In stretches, each a check of its own: together they look at every segment and every row once, and find what one check finds.
make_stream
seq 1 900 | awk '{ printf "{\"id\":%d,\"tenant\":\"%s\",\"at\":\"2025-01-%02dT10:00:00.000Z\",\"message\":\"m\"}\n", $1,
	$1 % 2 ? "acme" : "ze/ta", 6 + $1 % 9 }' | evappend -q --flush-rows 3 --source s store/events
file=store/events/ze%2Fta/2025-01-06.evs
at=$(grep -obUaP '\x89EVS\x02' "$file" | sed -n 70p | cut -d: -f1)
printf 'x' | dd of="$file" bs=1 seek=$((at + 130)) conv=notrunc status=none
printf 'x' | dd of="$file" bs=1 seek=60 conv=notrunc status=none
rows() { sed -n 's/^evcheck: .*segments*, \([0-9,]*\) rows.*/\1/p' "$@" | tr -d ,; }
evcheck store >whole 2>err
echo "exit $?, $(rows err) rows, $(wc -l <whole) findings"
: >all
n=0 sum=0
while n=$((n + 1)); evcheck --max-duration 1ms store >part 2>err; s=$?; [ -e store/.evcheck ]; do
	cat part >>all
	sum=$((sum + $(rows err)))
	grep -q 'goes on there' err || echo "nothing said of the rest"
	[ $s = "$([ -s part ]; echo $((! $?)))" ] || echo "exit $s"
	[ $n -gt 5000 ] && break
done
cat part >>all
sum=$((sum + $(rows err)))
[ $n -gt 2 ] || echo "all at once"
echo "exit $s, $sum rows"
cmp whole all && echo "the same findings"
# The place is kept elsewhere for a store that may not be written to. What has been replaced or has gone is looked at anew.
evcheck -q --max-duration 1ms --state state store
[ -e state ] && [ ! -e store/.evcheck ] && sed 's/events.*evs/SEGMENT/; s/:[0-9][0-9]*/:N/g; s/"id":"[0-9a-f]*"/"id":"I"/' state
sed -i 's/"id":"[0-9a-f]*"/"id":"00"/; s/"offset":[0-9]*/"offset":9/' state
evcheck -q --max-duration 1h --state state store >part; cmp part whole && echo "all of it again"
echo '{"segment":"gone/for/ever","offset":1}' >state
status evcheck --max-duration 1h --state state store | tail -n 1
rows err; ls state 2>/dev/null
echo 'no json' >state
status evcheck --max-duration 1h --state state store; cat err
status evcheck --max-duration 1h store store; cat err
status evcheck --max-duration 1h "$file"; cat err
status evcheck --state state store; head -n 1 err
