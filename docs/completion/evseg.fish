# fish completion for the evseg tools.

for tool in evschema evappend evcat evagg evexpire evcheck
    complete -c $tool -l now -x -d 'take TIME for the present'
    complete -c $tool -l quiet -d 'say nothing but errors'
    complete -c $tool -l help -d 'show a short help'
    complete -c $tool -l version -d 'show the version'
end

for tool in evschema evappend evcat evexpire
    complete -c $tool -s q
end

complete -c evschema -n __fish_use_subcommand -x -a apply -d 'make or change streams'
complete -c evschema -n __fish_use_subcommand -x -a check -d 'compare'
complete -c evschema -n __fish_use_subcommand -x -a show -d 'print the schema'

complete -c evappend -l source -x -d 'exactly once, name of the input'
complete -c evappend -l rejects -r -d 'where rejected lines go'
complete -c evappend -l strict -d 'stop at the first bad line'
complete -c evappend -l ack -d 'a line for each durable commit'
complete -c evappend -l flush-rows -x -d 'commit at least every N rows'
complete -c evappend -l flush-bytes -x -d 'commit at least every N bytes'
complete -c evappend -l flush-interval -x -d 'commit at least every T'
complete -c evappend -l no-wait -d 'fail when another writer is at work'
complete -c evappend -l level -x -d 'zstd level'
complete -c evappend -l stats -x -a json -d 'account as JSON'
complete -c evappend -l time -x -d 'column of the time'
complete -c evappend -l tenant -x -d 'column of the tenant'
complete -c evappend -l key -x -d 'columns to sort by'

complete -c evcat -s c -l columns -x -d 'only these columns'
complete -c evcat -s w -l where -x -d 'only rows of which EXPR is true'
complete -c evcat -s k -l key -x -d 'only rows with COL=VALUE'
complete -c evcat -l sort -x -d 'in this order'
complete -c evcat -l latest -x -d 'only the newest row for each value'
complete -c evcat -l explain -d 'say what was read and passed over'
complete -c evcat -s n -l limit -x -d 'stop after N rows'
complete -c evcat -l since -x -d 'only rows at or after TIME'
complete -c evcat -l until -x -d 'only rows before TIME'
complete -c evcat -l tenant -x -d 'only this tenant'
complete -c evcat -s f -l follow -d 'wait for new rows'
complete -c evcat -s o -l output -x -a 'ndjson csv tsv table' -d format
complete -c evcat -l nulls -d 'write nulls too'
complete -c evcat -s e -l exit-status -d 'exit with 1 when nothing matched'

complete -c evagg -s q -l query -x -d 'the question, in SQL'
complete -c evagg -s g -l group -x -d 'what to group by'
complete -c evagg -s a -l aggregate -x -d 'what to compute for each group'
complete -c evagg -s w -l where -x -d 'only rows of which EXPR is true'
complete -c evagg -l having -x -d 'only groups of which EXPR is true'
complete -c evagg -l sort -x -d 'order of the groups'
complete -c evagg -s n -l limit -x -d 'the first N groups'
complete -c evagg -s k -l key -x -d 'only rows with COL=VALUE'
complete -c evagg -l since -x -d 'only rows at or after TIME'
complete -c evagg -l until -x -d 'only rows before TIME'
complete -c evagg -l tenant -x -d 'only this tenant'
complete -c evagg -s o -l output -x -a 'ndjson csv tsv table' -d format
complete -c evagg -l plot -d 'draw the first number over the first column'
complete -c evagg -l nulls -d 'write nulls too'
complete -c evagg -l threads -x -a '1 2' -d 'how many'
complete -c evagg -l raw -d 'answer from the rows, not from rollups'
complete -c evagg -l explain -d 'say what was read and passed over'
complete -c evagg -s e -l exit-status -d 'exit with 1 when there is no row'
complete -c evagg -l fail-if-any -d 'exit with 1 when there is a row'

complete -c evexpire -l older-than -x -d 'what ended before TIME'
complete -c evexpire -s n -l dry-run -d 'only say what would go'
complete -c evexpire -l drop -d 'the segments that are named'
complete -c evexpire -l tenant -x -d 'only this tenant'
complete -c evexpire -l no-wait -d 'leave a segment that is being written'
complete -c evexpire -s o -l output -x -a 'table ndjson csv tsv' -d 'format'
complete -c evcheck -l quick -d 'frames alone, no rows'
complete -c evcheck -l max-duration -x -d 'stop after that long, and go on there the next time'
complete -c evcheck -l state -r -d 'file that says where it stopped'
complete -c evcheck -l salvage -r -d 'put all rows that can be read into a new segment or store'
complete -c evcheck -l sequence -x -d 'gaps and duplicates of SEQ for each KEY'
complete -c evcheck -s o -l output -x -a 'text json' -d format
