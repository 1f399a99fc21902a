. "$CLI/lib.sh"

make_store
evcat --nulls -c id,message,n -n 3 store/events
