. "$CLI/lib.sh"

# What could be unpacked is stored; the loss is told and sets the exit status.
make_stream
i=0; while [ $i -lt 400 ]; do rows; i=$((i + 1)); done | gzip >a.gz
head -c 300 a.gz >cut.gz
status evappend store/events cut.gz
grep -c "^evappend: cut.gz: is packed, and gzip could not unpack all of it$" err
account | grep -c ' 0 rejected'
