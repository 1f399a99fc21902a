# The options of --help, of the man page and of the completions are the same.
for t in evschema evappend evcat evagg evcompact evexpire evstat evcheck; do
	"$t" --help | sed -n 'h; s/^  \(-[a-z]\), .*/\1/p; g; s/^  \(-[a-z],\)\{0,1\} *\(--[a-z-]*\).*/\2/p' |
		sort >help
	sed -n 's/^\.It Fl //p' "$TESTS/../docs/man/$t.1" | tr ',' '\n' |
		sed -n 's/^ *\(Fl \)\{0,1\}\(-\{0,1\}[a-z-]*\).*/-\2/p' | sort >man
	diff help man && echo "$t: the same"
	for o in $(grep '^--' help); do
		grep -q -e "$o\>" "$TESTS/../docs/completion/evseg.zsh" || echo "zsh lacks $o"
		grep -q -e "-l ${o#--}\>" "$TESTS/../docs/completion/evseg.fish" || echo "fish lacks $o"
	done
done
