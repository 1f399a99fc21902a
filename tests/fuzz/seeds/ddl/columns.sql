CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (
  a bigserial,
  b int NOT NULL DEFAULT nextval('seq'::regclass),
  c int GENERATED ALWAYS AS IDENTITY (START 1),
  d uuid DEFAULT gen_random_uuid() NOT NULL,
  e timestamptz NOT NULL DEFAULT now(),
  f jsonb NOT NULL DEFAULT '{}'::jsonb,
  g text[] NOT NULL DEFAULT '{}',
  h text DEFAULT 'a, b' COLLATE "C",
  i int DEFAULT NULL,
  j boolean NOT NULL DEFAULT true,
  k mood NOT NULL DEFAULT 'ok',
  l text DEFAULT (CASE WHEN 1 = 1 THEN 'x' ELSE 'y' END) NULL,
  m int DEFAULT 1 CHECK (m > 0) UNIQUE REFERENCES o (id) ON DELETE SET NULL ON UPDATE CASCADE NOT NULL,
  n Float64 DEFAULT -1.5 CODEC(Gorilla, ZSTD(3)) COMMENT 'it is' TTL e + INTERVAL 1 DAY,
  "we ""ird" text,
  `in``dex` String,
  index Int8,
  comment text,
  a.b String,
  PRIMARY KEY (a),
);
CREATE INDEX ti ON t (b, c);