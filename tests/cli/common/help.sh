# --help goes to stdout, and names the tool and the exit statuses.
for t in evschema evappend evcat evagg evcompact evexpire evstat evcheck; do
	$t --help >help || echo "$t: failed"
	head -n 1 help
	grep -c "^Exit status:" help
	awk 'length > 100' help
done
