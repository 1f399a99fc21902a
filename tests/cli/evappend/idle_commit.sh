. "$CLI/lib.sh"

# Rows of a pipe that pauses are committed without waiting for more.
make_stream
mkfifo pipe
evappend -q --flush-interval 100ms store/events <pipe & pid=$!
exec 9>pipe
rows >&9
i=0; while [ "$(evcat -q store/events | wc -l)" -lt 5 ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
evcat -q store/events | wc -l
exec 9>&-
wait $pid; echo "exit $?"
