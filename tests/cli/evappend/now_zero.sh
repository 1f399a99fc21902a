. "$CLI/lib.sh"

# A time that the library takes for none is refused, rather than the clock's taken for it.
for now in 1970-01-01 1970-01-01T00:00:00Z 1970-01-01T00:00:00.001Z 1969-12-31; do
	echo '{"a":1}' | evappend -q --now $now store/s 2>err; echo "exit $?"
	head -n 1 err
done
evcat -c _time store/s
