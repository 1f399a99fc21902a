. "$CLI/lib.sh"

# Segments that were copied out of two streams have no common answer, however many threads read them.
make_store
echo '{"a":1,"at":"2025-01-06T00:00:00Z"}' | evappend -q store/other
mkdir -p copies/of
cp store/events/acme/2025-01-06.evs copies/of/1.evs
cp store/other/_/2025-01-06.evs copies/of/2.evs
for threads in 1 2; do
	status evagg --threads $threads -a 'count() AS n' copies/of/1.evs copies/of/2.evs
	cat err
	status evcat -c at --threads $threads copies/of/2.evs copies/of/1.evs
	cat err
done
cp store/events/acme/2025-01-13.evs copies/of/2.evs
evagg --threads 2 -a 'count() AS n' copies/of/1.evs copies/of/2.evs
