. "$CLI/lib.sh"

make_store
evcat -n 2 -c id store/events
evcat -n 1k -c id store/events | wc -l
