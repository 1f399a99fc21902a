. "$CLI/lib.sh"

# Two threads give what one gives, in the same order.
make_store
for threads in 1 2; do
	evcat --threads $threads -c id,n -w 'n IS NOT NULL' --explain store/events 2>&1 | grep -v bytes
	evcat --threads $threads -c tenant,id --latest tenant store/events
	evcat --threads $threads -c id -n 1 store/events
done
status evcat --threads 3 store/events
cat err
