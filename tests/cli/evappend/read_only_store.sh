. "$CLI/lib.sh"

# A store that cannot be written: a plain message, exit 4, nothing changed.
as=
[ "${EVS_CONFIG:-}" != coverage ] || skip "another user cannot write the counts of what ran"
if [ "$(id -u)" -eq 0 ]; then # root may write anywhere
	command -v setpriv >/dev/null || skip "needs another user than root"
	as='setpriv --reuid=65534 --regid=65534 --clear-groups'
	chmod 755 .
	$as evappend --version >/dev/null 2>&1 || skip "other users cannot run the programs"
fi
make_store
find store -type f | sort | xargs cat | cksum >before
chmod -R a-w store
rows | status $as evappend store/events
grep -c 'Permission denied' err
$as evcat store/events | wc -l
chmod -R u+w store
find store -type f | sort | xargs cat | cksum | cmp - before
