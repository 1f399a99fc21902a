. "$CLI/lib.sh"

# Conditions and keys, together and with a time; a mistake is shown where it stands.
make_store
evcat -c id -w "level = 'info' AND n >= 0" store/events
echo; evcat -c id,n -w "n IS NULL OR n < 0" store/events
echo; evcat -c message -k tenant=acme -k level=warn store/events
echo; evcat -c id -w "length(message) > 4" --since 2025-01-13 store
echo; evcat -c id -k "message=a, \"quoted\" one
in two lines" store
echo; evcat -w "id > 5" -e store; echo "exit $?"
status evcat -w "levle = 'info'" store; cat err
status evcat -w "level = 'eror'" store; cat err
status evcat -w "n / (id - 3) > 0" store | tail -n 1; cat err
status evcat -k nn=1 store; cat err
status evcat -k n store; cat err
status evcat -k level=x store; cat err
