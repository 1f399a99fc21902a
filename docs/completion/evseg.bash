# bash completion for the evseg tools. Options are read from --help, so they are never behind.

_evseg()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} tool=${COMP_WORDS[0]}
	local words=

	COMPREPLY=()
	if [[ $prev == = ]]; then # --stats=json comes as three words
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == = ]]; then
		cur=
	fi
	case $prev in
	-o | --output) [[ $tool == *evcheck ]] && words='text json' || words='ndjson csv tsv table' ;;
	--stats) words=json ;;
	-b | --by) words='partition tenant stream store' ;;
	-c | --columns | -w | --where | -k | -n | --limit | --since | --until | --older-than | --keep | --tenant | --now | \
	-c | --columns | -w | --where | -k | -n | --limit | --since | --until | --older-than | --max-duration | --sequence | --tenant | --now | \
		-q | --query | -g | --group | -a | --aggregate | -w | --where | --having | --sort | -k | --threads | --source | --time | \
		--key | --level | --max-duration | --flush-*) return ;;
	*)
		if [[ $cur == -* ]]; then
			words=$("$tool" --help 2>/dev/null |
				sed -n 'h; s/^  \(-[a-z], \)\{0,1\} *\(--[a-z-]*\).*/\2/p; g; s/^  \(-[a-z]\), .*/\1/p')
		elif [[ $tool == *evschema && $COMP_CWORD -eq 1 ]]; then
			words='apply check show'
		fi
		;;
	esac
	if [[ -n $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	else
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _evseg evschema evappend evcat evagg evexpire evstat evcompact evcheck
