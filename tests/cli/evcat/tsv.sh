. "$CLI/lib.sh"

make_store
evcat -o tsv -c id,message,n,level store/events
