for t in evschema evappend evcat evagg evcompact evexpire evstat evcheck; do
	$t --version | sed 's/[0-9.]*$/VERSION/'
done
