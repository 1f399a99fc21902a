. "$CLI/lib.sh"

# since is within, until is not.
make_store
evcat -c id --since 2025-01-13 store/events
echo; evcat -c id --since 2025-01-07T10:00:00.250Z --until 2025-01-13T00:00:00Z store/events
echo; evcat -c id --until 2025-01-07 store/events
echo; evcat -c id --since 48h --now 2025-01-15 store/events
