. "$CLI/lib.sh"

# Says what would go, and touches nothing.
make_store
find store -type f -exec md5sum {} + | sort >before
evexpire --dry-run -o ndjson --older-than 2025-01-13 store | sed 's/"bytes":[0-9]*/"bytes":B/'
evexpire -n -o tsv --older-than 2025-01-20 --tenant zeta store/events | cut -f 2-5,8
evexpire -n --older-than 2025-01-12T23:59:59.999999999Z store; echo "exit $?"
find store -type f -exec md5sum {} + | sort >after
cmp before after && echo untouched
