# A CHECK on a column that does not exist: file, line, column and word; nothing is made.
cat >bad.sql <<'SQL'
CREATE TABLE good (id UUID, at DateTime) ENGINE = MergeTree ORDER BY id;

CREATE TABLE task_events (
    id UUID NOT NULL,
    at DateTime NOT NULL,
    CONSTRAINT input_is_json CHECK isValidJSON(input)
) ENGINE = MergeTree ORDER BY id;
SQL
evschema apply store bad.sql 2>err; echo "exit $?"
grep -o '^evschema: bad.sql:6:48: ' err
grep -c 'input' err
sed -n '2,3p' err
ls store 2>/dev/null
