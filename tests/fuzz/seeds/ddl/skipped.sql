CREATE USER IF NOT EXISTS monitor IDENTIFIED WITH plaintext_password BY 'x;y';
GRANT SELECT ON system.* TO monitor;
ALTER USER monitor SETTINGS PROFILE 'program';
CREATE DATABASE IF NOT EXISTS monitor ON CLUSTER production;
CREATE OR REPLACE FUNCTION f() RETURNS void AS $body$ BEGIN CREATE TABLE no (x; END; $body$ LANGUAGE plpgsql;
DO $$ DECLARE partition_name text; BEGIN EXECUTE 'ANALYZE ' || x; END $$;
COMMENT ON TABLE x IS 'it''s \'quoted\'';
INSERT INTO x VALUES (1, 'a;b'), (2, '--');
SET x = 1; DROP TABLE y;
# a comment
-- another /* 
/* a /* nested */ one */
CREATE TABLE p (id int PRIMARY KEY, ts timestamptz NOT NULL) PARTITION BY RANGE (ts);
CREATE TABLE p_2025 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE INDEX ON p_2025 (id);
ALTER TABLE p OWNER TO x;
SELECT create_partition('p');
