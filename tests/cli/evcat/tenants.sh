. "$CLI/lib.sh"

make_store
evcat --tenant zeta -c id store/events
evcat --tenant zeta --tenant acme -c id store/events | wc -l
evcat -e --tenant nobody store/events; echo "exit $?"
