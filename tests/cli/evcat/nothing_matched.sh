. "$CLI/lib.sh"

make_store
evcat --since 2030-01-01 store/events; echo "exit $?"
evcat -e --since 2030-01-01 store/events; echo "exit $?"
evcat -e -n 1 -c id store/events; echo "exit $?"
