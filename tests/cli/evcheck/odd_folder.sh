. "$CLI/lib.sh"

# A check in stretches goes on in a folder of any name.
make_stream
seq 1 150 | sed 's/.*/{"id":1,"tenant":"t&","at":"2025-01-06T10:00:00Z"}/' | evappend -q store/events
at=store/events
for name in "$(printf 'we\nird')" "$(printf 'b\377d')" 'qu"o\te' 'ü'; do
	mv "$at" "store/$name"
	at=store/$name
	evcheck -q --max-duration 1ms store || echo "exit $?"
	[ -e store/.evcheck ] && echo "stopped"
	while [ -e store/.evcheck ]; do
		evcheck -q --max-duration 1ms store || break
	done
	[ -e store/.evcheck ] || echo "came to the end"
	rm -f store/.evcheck
done
