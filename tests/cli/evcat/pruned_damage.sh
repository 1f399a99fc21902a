. "$CLI/lib.sh"

# A span of time is looked for by INDEX and COMMIT frames. Where an INDEX is damaged the way goes on frame by
# frame: all rows come, and no sound frame is blamed because those before it were not looked at.
make_stream
seq 200 | sed 's/.*/{"id":&,"tenant":"a","at":"2025-01-06T00:00:00Z"}/' |
	evappend -q --flush-rows 1 store/events
segment=store/events/a/2025-01-06.evs
index=$(grep -abo EVS "$segment" | cut -d : -f 1 | while read -r at; do
	type=$(od -An -tu1 -j $((at + 3)) -N 1 "$segment")
	[ "$type" -ne 4 ] || echo "$at"
done | sed -n 2p)
printf XX | dd of=$segment bs=1 seek=$((index + 100)) conv=notrunc 2>dd
evcat -c id --since 2024-01-01 store/events 2>err | wc -l
sed 's/^[^:]*: [^:]*: //; s/(offset [0-9]*)/(offset)/' err
