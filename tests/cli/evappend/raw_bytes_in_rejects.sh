. "$CLI/lib.sh"

# Any bytes at all come back from the reject file, which itself is JSON.
make_stream
printf '{"id":\377\000"\\\n' >x
status evappend --rejects r store/events x
jq -e 'has("line") and has("offset") and has("reason") and has("raw")' r
wc -l <r
