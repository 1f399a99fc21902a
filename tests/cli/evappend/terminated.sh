. "$CLI/lib.sh"

# SIGTERM: what has been read is committed, told, exit 0.
make_stream
mkfifo pipe
evappend store/events <pipe 2>err & pid=$!
exec 9>pipe
rows >&9
printf '{"id":6,' >&9
sleep 1
kill -TERM $pid
wait $pid; echo "exit $?"
exec 9>&-
account
evcat store/events | wc -l
