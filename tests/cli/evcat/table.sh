. "$CLI/lib.sh"

# Columns stand under their names; nothing is coloured when it is no terminal.
make_store
evcat -o table -c id,tenant,level store/events >out
grep -c "$(printf '\033')" out
grep -o -w 'id' out | wc -l
tr -cs 'a-z0-9\n' ' ' <out | sed 's/^ //; s/ $//; /^$/d' | head -n 6
