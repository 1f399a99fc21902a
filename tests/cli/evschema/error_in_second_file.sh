# Lines are counted in the file they stand in.
echo 'CREATE TABLE one (id UUID, at DateTime) ENGINE = MergeTree ORDER BY id;' >one.sql
printf 'CREATE TABLE two (\n\tid Strange,\n\tat DateTime\n) ENGINE = MergeTree ORDER BY id' >two.sql
evschema apply store one.sql two.sql 2>err; echo "exit $?"
grep -o '^evschema: two.sql:2:5: ' err
sed -n '2,3p' err
[ -e store ] && ls store || echo "nothing made"
