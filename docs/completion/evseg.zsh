#compdef evschema evappend evcat evagg evexpire evstat evcompact evcheck
# zsh completion for the evseg tools.

local -a common
common=(
	'--now[take TIME for the present]:time:'
	'(-q --quiet)'{-q,--quiet}'[say nothing but errors]'
	'--help[show a short help]'
	'--version[show the version]'
)

case $service in
evschema)
	_arguments $common \
		'1:what to do:((apply\:"make or change streams" check\:"compare" show\:"print the schema"))' \
		'2:store:_files -/' \
		'*:DDL:_files -g "*.sql"'
	;;
evappend)
	_arguments $common \
		'--source[exactly once, name of the input]:id:' \
		'--rejects[where rejected lines go]:file:_files' \
		'--strict[stop at the first bad line]' \
		'--ack[a line for each durable commit]' \
		'--flush-rows[commit at least every N rows]:rows:' \
		'--flush-bytes[commit at least every N bytes]:bytes:' \
		'--flush-interval[commit at least every T]:time:' \
		'--no-wait[fail when another writer is at work]' \
		'--level[zstd level]:level (1-19):' \
		'--stats=[account as JSON]:format:(json)' \
		'--time[column of the time]:column:' \
		'--tenant[column of the tenant]:column:' \
		'--key[columns to sort by]:columns:' \
		'1:stream:_files -/' \
		'*:rows:_files'
	;;
evcat)
	_arguments $common \
		'(-c --columns)'{-c,--columns}'[only these columns]:columns:' \
		'(-w --where)'{-w,--where}'[only rows of which EXPR is true]:condition:' \
		'*'{-k,--key}'[only rows with COL=VALUE]:key:' \
		'--sort[in this order]:columns:' \
		'--latest[only the newest row for each value]:columns:' \
		'--threads[how many]:threads:(1 2)' \
		'--explain[say what was read and passed over]' \
		'(-n --limit)'{-n,--limit}'[stop after N rows]:rows:' \
		'--since[only rows at or after TIME]:time:' \
		'--until[only rows before TIME]:time:' \
		'*--tenant[only this tenant]:tenant:' \
		'(-f --follow)'{-f,--follow}'[wait for new rows]' \
		'(-o --output)'{-o,--output}'[format]:format:(ndjson csv tsv table)' \
		'--nulls[write nulls too]' \
		'(-e --exit-status)'{-e,--exit-status}'[exit with 1 when nothing matched]' \
		'*:path:_files'
	;;
evagg)
	_arguments '--quiet[say nothing but errors]' ${common:#*-q*} \
		'(-q --query)'{-q,--query}'[the question, in SQL]:SELECT:' \
		'(-g --group)'{-g,--group}'[what to group by]:expressions:' \
		'(-a --aggregate)'{-a,--aggregate}'[what to compute for each group]:expressions:' \
		'(-w --where)'{-w,--where}'[only rows of which EXPR is true]:condition:' \
		'--having[only groups of which EXPR is true]:condition:' \
		'--sort[order of the groups]:expressions:' \
		'(-n --limit)'{-n,--limit}'[the first N groups]:groups:' \
		'*'{-k,--key}'[only rows with COL=VALUE]:key:' \
		'--since[only rows at or after TIME]:time:' \
		'--until[only rows before TIME]:time:' \
		'*--tenant[only this tenant]:tenant:' \
		'(-o --output)'{-o,--output}'[format]:format:(ndjson csv tsv table)' \
		'--plot[draw the first number over the first column]' \
		'--nulls[write nulls too]' \
		'--threads[how many]:threads:(1 2)' \
		'--raw[answer from the rows, not from rollups]' \
		'--explain[say what was read and passed over]' \
		'(-e --exit-status)'{-e,--exit-status}'[exit with 1 when there is no row]' \
		'--fail-if-any[exit with 1 when there is a row]' \
		'*:path:_files'
	;;
evexpire)
	_arguments $common \
		'--older-than[what ended before TIME]:time:' \
		'(-n --dry-run)'{-n,--dry-run}'[only say what would go]' \
		'--drop[the segments that are named]' \
		'*--tenant[only this tenant]:tenant:' \
		'--all[all that --tenant has]' \
		'--yes[do not ask]' \
		'--archive-to[copy what goes there first]:store:_files -/' \
		'--keep[how long rows of --tenant are kept]:age:(90d 12mo forever default)' \
		'--show[print how long things are kept]' \
		'--no-wait[leave a segment that is being written]' \
		'(-o --output)'{-o,--output}'[format]:format:(table ndjson csv tsv)' \
		'*:path:_files'
	;;
evcompact)
	_arguments $common \
		'--all[also segments that gain little]' \
		'--level[zstd level]:level (1-19):' \
		'--max-duration[begin with no other segment after T]:time:' \
		'(-n --dry-run)'{-n,--dry-run}'[say what would be done]' \
		'*:path:_files'
	;;
evstat)
	_arguments $common \
		'(-b --by)'{-b,--by}'[a row for each]:level:(partition tenant stream store)' \
		'*--tenant[only this tenant]:tenant:' \
		'(-o --output)'{-o,--output}'[format]:format:(table ndjson json csv tsv)' \
		'(-c --columns)'{-c,--columns}'[a row for each column instead]' \
		'--prometheus[write metrics into FILE]:file:_files' \
		'(-e --exit-status)'{-e,--exit-status}'[exit with 1 when there are warnings]' \
		'*:path:_files'
	;;
evcheck)
	_arguments $common \
		'--quick[frames alone, no rows]' \
		'--max-duration[stop after that long, and go on there the next time]:duration:' \
		'--state[file that says where it stopped]:file:_files' \
		'--salvage[put all rows that can be read into a new segment or store]:out:_files' \
		'--sequence[gaps and duplicates of SEQ for each KEY]:KEY,SEQ:' \
		'(-o --output)'{-o,--output}'[format]:format:(text json)' \
		'*:path:_files'
	;;
esac
