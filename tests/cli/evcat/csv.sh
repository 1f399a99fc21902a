. "$CLI/lib.sh"

make_store
evcat -o csv -c id,message,n,level store/events
