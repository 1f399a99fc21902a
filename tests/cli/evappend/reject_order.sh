. "$CLI/lib.sh"

# Rejects stand in the order of their lines, though CHECKs are told later than bad JSON; a record that a killed run left
# half written is set aside and does not swallow the next one; a device has nothing to sync.
make_stream
rows >good
sed '2s/"level":"warn","message":"slow"/"level":"error"/; 3s/.*/no json/' good >bad
printf '{"file":"half' >rejects
status evappend --source 'a "b"' --rejects rejects store/events bad
jq -c '[.line, .source, .end]' rejects
cat rejects.tail-0.ndjson; echo
status evappend --source 'a "b"' --rejects rejects store/events bad
wc -l <rejects
echo nothing | status evappend --rejects /dev/null store/events
