. "$CLI/lib.sh"

# A wrong byte costs its own rows; they are named, the others are delivered.
make_stream
i=1; while [ $i -le 300 ]; do
	printf '{"id":%d,"tenant":"acme","at":"2025-01-06T00:00:00.000Z","message":"%s"}\n' $i "$(echo $i | cksum)"
	i=$((i + 1))
done >x
evappend -q --flush-rows 100 store/events x
segment=store/events/acme/2025-01-06.evs
evcat -c id $segment | wc -l
# Somewhere in the middle commit's rows: find it by trying, never wrong data.
printf '\377' | dd of=$segment bs=1 seek=$(($(wc -c <$segment) / 2)) conv=notrunc 2>/dev/null
status evcat -c id,tenant,at,message $segment >out
tail -n 1 out
grep -v '^exit' out >got
grep -c -v -x -F -f x got
grep -c "^evcat: $segment: .* (offset [0-9]*)" err
