# -- Check table sizes
# SELECT table, formatReadableSize(sum(bytes)) as size, sum(rows) as rows FROM system.parts WHERE database = 'monitor' GROUP BY table;
evstat -q --by stream -o json store | jq -c 'select(.rows > 0) | {table: .stream, rows}'
