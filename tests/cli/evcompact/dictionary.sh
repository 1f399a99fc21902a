. "$CLI/lib.sh"

# Texts that say the same things from group to group get a dictionary: the same rows, from fewer bytes, and the same bytes each time.
schema >schema.sql
echo 'CREATE MATERIALIZED VIEW beginnings AS
    SELECT toDate(at) AS day, tenant, level, n, substring(message, 1, 1200) AS beginning, count() AS times
    FROM events GROUP BY day, tenant, level, n, beginning;' >>schema.sql
evschema -q apply store schema.sql
python3 - <<'PY' >in
import json, random
random.seed(7)
pool = ["".join(random.choice("abcdefghijklmnopqrstuvwxyz ") for _ in range(1200)) for _ in range(150)]
for i in range(9000):
    text = " ".join(random.sample(pool, 4)) + " %x" % random.getrandbits(400)
    print(json.dumps({"id": i, "tenant": "a", "at": "2025-01-06T00:00:00.000Z", "message": text}))
PY
evappend -q --flush-bytes 512K store/events in
evcat store >before
cp -r store again
evcompact -q store/events
evcompact -q again/events
segment=store/events/a/2025-01-06.evs
cmp "$segment" "again/events/a/2025-01-06.evs" && echo 'the same bytes'
evcat store | cmp - before && echo 'the same rows'
evcheck -q store && echo sound
# A view's column in the place of that column is made without it.
evagg --explain -q 'SELECT substring(message, 1, 1200) AS beginning, count() AS times FROM events GROUP BY beginning' store 2>err | wc -l
grep rollups err
evstat -q --columns -o json store/events | jq -r 'select(.column == "message") | .encodings'

# Without it, zstd makes 1.48 MB of these texts, and the view has 0.2.
[ "$(stat -c %s "$segment")" -lt 1400000 ] && echo small

# One of the two copies is damaged: all rows, and it is said. Both: the rows are named.
places() {
	python3 - "$segment" <<'PY'
import sys
data = open(sys.argv[1], "rb").read()
print(*[i for i in range(0, len(data), 8) if data[i:i + 5] == b"\x89EVS\x06"])
PY
}
spoil() {
	printf '\377' | dd of="$segment" bs=1 seek=$(($1 + 1000)) conv=notrunc 2>/dev/null
}
set -- $(places)
echo "$# frames"
spoil "$1"
status evcat store >rows
cat rows | grep exit
grep -v exit rows | cmp - before && echo 'all rows'
sed 's/offset [0-9]*/offset N/; s/[0-9,]* rows/R rows/' err
spoil "$2"
status evcat store | tail -n 1
sed 's/offset [0-9]*/offset N/; s/[0-9,]* rows/R rows/' err | sort | uniq -c | sed 's/^ *//'
status evcat -c id store | grep exit
evcheck -q store | sed 's/offset [0-9]*/offset N/; s/[0-9,]* rows/R rows/' | sort | uniq -c | sed 's/^ *//'
