. "$CLI/lib.sh"

# The first rejects are shown with their reasons, and no more than five of them.
make_stream
i=0; while [ $i -lt 20 ]; do echo '{"id":'; i=$((i + 1)); done >x
status evappend --rejects r store/events x
grep -c '^evappend: x:[1-5]: .* (offset [0-9]*)$' err
grep -c '^evappend: x:' err
wc -l <r
