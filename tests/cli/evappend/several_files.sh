. "$CLI/lib.sh"

# Lines count from 1 in each; a last line without newline is a line.
make_stream
rows | head -n 2 | head -c -1 >a
{ rows | sed -n 3p; echo '{"id":'; } >b
rows | tail -n 2 >c
status evappend --rejects r store/events a b c
account
jq -c '[.file, .line]' r
evcat -c id store/events | wc -l
