for t in evschema evappend evcat evagg evexpire; do
	$t --version | sed 's/[0-9.]*$/VERSION/'
done
