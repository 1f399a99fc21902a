. "$CLI/lib.sh"

# What is said of every file in corpus/bad and corpus/crash: exit status, rows that came, then place, rule and
# rows lost. A new file needs a new line: tests/cli/run --update evcat/damaged_corpus
cd "$TESTS/../corpus" || exit
for f in bad/*.evs crash/*.evs; do
	evcat "$f" >"$HOME/rows" 2>"$HOME/err"
	echo "$f: exit $?, $(($(wc -l <"$HOME/rows"))) rows"
	sed "s|^evcat: $f:|  |" "$HOME/err"
done
