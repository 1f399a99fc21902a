. "$CLI/lib.sh"

# Rows of one commit that came in several turns are sorted in each turn: these are runs of their own.
make_stream
awk 'BEGIN { for (i = 0; i < 90000; i++) printf "{\"id\":%d,\"tenant\":\"a\",\"at\":\"2025-01-06T%02d:%02d:%02d.000Z\",\"message\":\"%080d\"}\n",
	i, i * 7919 % 24, i * 31 % 60, i * 17 % 60, i }' >rows
evappend -q --flush-rows 90000 store/events <rows
status evcheck store; sed 's/[0-9.]* [KM]B/N/' err
