. "$CLI/lib.sh"

# BOM, CRLF, blank lines and no final newline.
make_stream
{ printf '\357\273\277'; rows | head -n 2 | sed 's/$/\r/'; printf '\n  \n'; rows | tail -n 3 | head -c -1; } >x
status evappend store/events x
account
evcat store/events >out; rows >rows; same_rows rows out
