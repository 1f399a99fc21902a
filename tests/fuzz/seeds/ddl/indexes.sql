CREATE TABLE db.t (a String, b Int8, j JSON, ts DateTime,
  INDEX i1 a TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX i2 lower(a) TYPE tokenbf_v1(256, 2, 0),
  INDEX i3 (b, ts) TYPE minmax,
  PROJECTION p (SELECT a ORDER BY b)) ENGINE = MergeTree ORDER BY ts;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i4 ON db.t USING btree (b DESC NULLS LAST, a) INCLUDE (ts) WHERE b > 0;
CREATE INDEX i5 ON t USING GIN (j jsonb_path_ops);
CREATE INDEX ON t ((j ->> 'x'));
