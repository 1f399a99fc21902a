# Every mistake on the command line: exit 2, one line that says what, one that says where help is.
for c in evschema "evschema frob" "evschema apply" "evschema apply store" "evschema show" \
	"evschema show a b" evappend evcat "evcat --bogus x" "evcat -n" "evcat -n 0 x" "evcat -n -1 x" \
	"evcat -n 1x x" "evcat -o xml x" "evcat -c a,,b x" "evcat --since soon x" \
	evagg "evagg -q x" "evagg -q x -g y z" "evagg -q" "evagg --threads 3 x" "evagg --plot -o csv x" \
	"evagg -e --fail-if-any x" "evagg -n 0 x" \
	evcompact "evcompact --level 20 s" "evcompact --level 0 s" "evcompact --max-duration 3 s" "evcompact --bogus s" \
	evstat "evstat --by week x" "evstat -o xml x" evexpire "evexpire -o xml x" "evexpire --drop --older-than 1d x" \
	"evexpire --all x" "evexpire --tenant t --all x" "evexpire --keep 1d x" "evexpire --tenant t --keep 1d --drop x" \
	"evexpire --tenant t --all --older-than 1d --yes x" "evexpire --drop --all --yes --tenant t x" \
	"evagg -e --fail-if-any x" "evagg -n 0 x" evcheck "evcheck -o csv x" \
	evexpire "evexpire -o xml x" "evexpire --drop --older-than 1d x" \
	"evappend --level 20 s" "evappend --flush-rows 0 s" "evappend --flush-interval 3 s" \
	"evappend --flush-bytes 1.0000001MB s" "evappend --stats=xml s" "evappend --flush-rows 99999999999999999999 s"
do
	$c 2>err >out
	s=$?
	[ "$s" = 2 ] && [ ! -s out ] && [ "$(wc -l <err)" = 2 ] &&
		grep -q "^${c%% *}: " err && grep -q "^Try '${c%% *} --help'\.\$" err ||
		{ echo "$c: exit $s"; cat out err; }
done
evcat -n 0 x
