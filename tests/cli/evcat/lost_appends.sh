. "$CLI/lib.sh"

# Of three commits of one row, the last has lost its group and the one before it its trailers. Both may have
# been acknowledged, and the last trailer tells how many rows there must be.
cp "$CLI/../../corpus/crash/two-appends-lost.evs" .
status evcat -c id two-appends-lost.evs
sed 's/.*(offset/(offset/' err
