. "$CLI/lib.sh"

# The same files as in damaged_corpus, by the INDEX tree, as a span of time is read: tests/cli/run --update evcat/damaged_corpus_since
cd "$TESTS/../corpus" || exit
for f in bad/*.evs crash/*.evs; do
	evcat --since 2000-01-01 "$f" >"$HOME/rows" 2>"$HOME/err"
	echo "$f: exit $?, $(($(wc -l <"$HOME/rows"))) rows"
	sed "s|^evcat: $f:|  |" "$HOME/err"
done
