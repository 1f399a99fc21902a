. "$CLI/lib.sh"

# What stands for a character in a pattern stands for one beyond ASCII, too.
jq -n -c '"é", "ü", "zé", "я", "日本", "😀", "a\\b", "a^", "-" |
	{ at: "2025-01-06T10:00:00Z", s: . }' >rows.ndjson
evappend -q store/t rows.ndjson
for p in '^.$' '^..$' '^.{2}$' '^z?é+$' '^[é-я]' '^[^a-zé]' '^[^aя-日]+$' '^[a-ü]+$' '[é^]' '[^é^]$' '[]ü-]' '^\W$' \
	'^[[:alpha:]]é' '\ü|\😀' '[日\s]' '[^[:alpha:]日]' '[[.^.]é]'; do
	printf '%s: %s\n' "$p" "$(evcat -w "s ~ '$p'" -c s store | jq -r .s | tr '\n' ' ')"
done
status evcat -w "s ~ '[ü-é]'" store; cat err
status evcat -w "s ~ 'x[é'" store; cat err
