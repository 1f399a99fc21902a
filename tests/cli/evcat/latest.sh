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
