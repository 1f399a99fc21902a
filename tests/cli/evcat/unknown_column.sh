. "$CLI/lib.sh"

# Named, with a suggestion.
make_store
status evcat -c id,mesage store/events
grep -c "mesage" err; grep -o -w message err
