for t in evschema evappend evcat; do
	$t --version | sed 's/[0-9.]*$/VERSION/'
done
