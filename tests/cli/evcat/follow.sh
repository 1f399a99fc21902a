. "$CLI/lib.sh"

# -f prints what is committed later, and ends with its reader.
make_store
: >out
evcat -f -c id store/events >out & pid=$!
i=0; while [ "$(wc -l <out)" -lt 5 ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
wc -l <out
rows | sed 's/"id":/"id":1/' | evappend -q store/events
i=0; while [ "$(wc -l <out)" -lt 10 ] && [ $i -lt 20 ]; do sleep 0.1; i=$((i + 1)); done
wc -l <out
kill $pid; wait $pid 2>/dev/null
evcat -f -n 5 -c id store/events | wc -l
evcat -f -c id store/events | head -n 3 | wc -l
