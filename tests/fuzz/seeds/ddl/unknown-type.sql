CREATE TABLE t (
  a String,
  ts DateTime,
  b Strin
) ENGINE = MergeTree ORDER BY ts;
