. "$CLI/lib.sh"

# What cannot be looked at is named, and the rest is checked.
make_store
status evcheck store/nothing; cat err
mkdir other && echo x >other/file
status evcheck other; cat err
mkdir store/events/zeta/2025-01-20.evs
status evcheck store/events; sed 's/[0-9.]* KB/N KB/' err
[ "$(id -u)" = 0 ] || { chmod 0 store/events/zeta/2025-01-13.evs; evcheck -q store 2>/dev/null; [ $? = 4 ] || echo "not 4"; }
