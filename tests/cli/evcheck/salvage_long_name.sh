. "$CLI/lib.sh"

# The file in the making bears the whole name, however long: another one of the same beginning is in nobody's way.
make_store
name=$(printf 'L%.0s' $(seq 1 120))
mkdir "$(printf '..%s' "$name" | head -c 63)"
evcheck -q --salvage "$name" store/events/acme/2025-01-06.evs; echo "exit $?"
evcat "$name" | wc -l
ls -A | grep salvage; true
