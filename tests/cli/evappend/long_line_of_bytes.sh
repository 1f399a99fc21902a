. "$CLI/lib.sh"

# A line that is too long to be held and is no UTF-8 is rejected so that it can be had back exactly. Pieces
# of it begin and end inside of characters.
make_stream
{ printf '\377{"a":"'; yes 'é' | tr -d '\n' | head -c 8388700; printf '\303"}'; } >bytes
{ cat bytes; echo; rows | head -n 1; printf '{"id":\377}'; } | status evappend store/events
jq -c '[.line, .offset, has("raw_base64")]' store/events/rejects.ndjson
head -n 1 store/events/rejects.ndjson | jq -rj .raw_base64 | base64 -d | cmp - bytes && echo "as it was"
head -n 1 store/events/rejects.ndjson | cut -c1-180 | jq -Rr 'capture("raw\":\"(?<raw>.{14})").raw'
ls -A store/events
