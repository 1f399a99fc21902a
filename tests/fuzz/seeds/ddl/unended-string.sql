CREATE TABLE t (
  a String DEFAULT 'never ends,
  ts DateTime);
