# What has no meaning here is named, by line; -q is silent about it.
cat >s.sql <<'SQL'
CREATE TABLE t (
    id UUID CODEC(ZSTD(3)),
    at DateTime
) ENGINE = MergeTree ORDER BY id
SETTINGS index_granularity = 8192;
GRANT SELECT ON t TO reader;
SQL
evschema apply store s.sql 2>err; echo "exit $?"
sed -n 's/^\(evschema: s.sql:[0-9]*:\).*/\1/p' err
tail -n 1 err
evschema -q apply store s.sql
