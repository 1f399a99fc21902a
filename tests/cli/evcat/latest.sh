. "$CLI/lib.sh"

# The newest row for each key: by time, of equal times the later commit; conditions come first.
make_store
printf '%s\n' '{"id":2,"tenant":"acme","at":"2025-01-07T10:00:00.250Z","level":"info","message":"the same time, later"}' \
	'{"id":5,"tenant":"zeta","at":"2025-01-14T00:00:00.000Z","level":"warn","message":"older"}' | evappend -q store/events
evcat --latest tenant -c id,tenant store
echo; evcat --latest id -c id,message store
echo; evcat --latest tenant -w "level = 'info'" --sort 'at DESC' store
echo; evcat --latest level,tenant -c id,level,tenant store
# Sorted: not by the columns that are shown, NULLs last, with a limit.
echo; evcat --sort 'n DESC' -c id,n store
echo; evcat --sort 'n, id desc' -n 3 -c id,n store
echo; evcat --sort level,at -c level,id -o csv store
status evcat --sort 'levle' store; cat err
status evcat --latest x store; cat err
status evcat -f --sort id store; head -n 1 err
# More rows than memory holds go to disk and come back in order.
seq 1 60000 | awk '{printf "{\"id\":%d,\"tenant\":\"t\",\"at\":\"2025-02-03T00:00:00Z\",\"message\":\"%0300d\",\"n\":%d}\n", $1 % 2000, $1, $1 * 7919 % 60000}' |
	evappend -q store/events
echo; evcat -w "tenant = 't'" --sort n -c n store | jq .n | awk '$1 != NR - 1 {bad++} END {print NR " rows, " bad + 0 " out of order"}'
evcat -w "tenant = 't'" --latest id -c message,id store | jq -r '.message[-5:] + " " + (.id | tostring)' | awk '{ if ($1 != 58000 + ($2 ? $2 : 2000)) bad++ } END {print NR " rows, " bad + 0 " wrong"}'
# Keys that are stored as codes, rows of a key next to each other, the newest of them anywhere; and the same by its parts.
echo 'CREATE TABLE coded (k String NOT NULL, id UInt32 NOT NULL, at DateTime64(3) NOT NULL) ENGINE = MergeTree PARTITION BY toMonday(at) ORDER BY k' |
	evschema -q apply store -
seq 0 19999 | awk '{k = int($1 / 20); t = k * 60 + ($1 * 7 + 6 + k) % 20
	printf "{\"k\":\"key %04d\",\"id\":%d,\"at\":\"2025-02-03T%02d:%02d:%02dZ\"}\n", k, $1, t / 3600, t / 60 % 60, t % 60}' | evappend -q store/coded
echo; evcat --latest k -c k,id store/coded | jq -c '[.k, .id]' | awk -F'[",]+' '{ k = NR - 1; if (($3 * 7 + 6 + k) % 20 != 19 || int($3 / 20) != k) bad++ } END {print NR " rows, " bad + 0 " wrong"}'
evcat --latest k -c id -w 'id % 2 = 0' store/coded | jq .id | awk '{ k = NR - 1; if (($1 * 7 + 6 + k) % 20 != 19 - (k % 2 == 0)) bad++ } END {print NR " rows, " bad + 0 " wrong"}'
