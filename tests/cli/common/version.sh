for t in evschema evappend evcat evagg evexpire evcheck; do
	$t --version | sed 's/[0-9.]*$/VERSION/'
done
