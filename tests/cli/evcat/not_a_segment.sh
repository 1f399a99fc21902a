echo 'my diary' >x.evs; : >empty.evs
for f in x.evs empty.evs; do
	evcat $f 2>err; echo "exit $?"
	grep -c "^evcat: $f: " err
done
