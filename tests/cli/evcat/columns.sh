. "$CLI/lib.sh"

make_store
evcat -c n,id store/events
