. "$CLI/lib.sh"

# Every finding has a line: segment, offset, rows and the number of the rule. What lies beside it is checked all the same.
make_store
rows | evappend -q store/events
file=store/events/acme/2025-01-06.evs
at=$(grep -obUaP '\x89EVS\x02' "$file" | head -n 1 | cut -d: -f1)
printf 'x' | dd of="$file" bs=1 seek=$((at + 150)) conv=notrunc status=none
mv store/events/zeta/2025-01-13.evs store/events/zeta/2025-01-20.evs
printf 'no segment' >store/events/zeta/2025-01-27.evs
status evcheck store; sed 's/[0-9.]* KB/N KB/' err
status evcheck -q -o json store | tee out | tail -n 1
jq -c '[.kind, .path, .rows, .rule]' out 2>/dev/null
status evcheck --quick -q store | tail -n 1
# With only the tail of a write there is damage to be feared, and the bytes do not tell.
cp store/events/acme/2025-01-13.evs torn.evs
head -c 100 store/events/acme/2025-01-06.evs >>torn.evs
status evcheck torn.evs | sed 's/offset [0-9]*/offset N/'
