. "$CLI/lib.sh"

# Rejected lines say file, line, offset and reason; mended and sent again they complete the stream.
make_stream
rows | sed '2s/warn/loud/; 3s/"id":3,//; 4s/,"message":.*,"n"/,"n"/; 5s/}$//' >x
echo '[1]' >>x
status evappend store/events x
account
# In any order: a CHECK is looked at after the lines around it are read.
jq -s -c 'sort_by(.line)[] | [.line, .offset, (.reason | length > 10)]' store/events/rejects.ndjson
jq -s -r 'sort_by(.line)[].raw' store/events/rejects.ndjson | diff - x
cp store/events/rejects.ndjson first
jq -r 'select(.line == 2) | .raw' first | sed s/loud/warn/ | status evappend store/events
evcat -c id store/events
