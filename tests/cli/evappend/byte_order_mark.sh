. "$CLI/lib.sh"

# A byte order mark in front of the only row from which a schema can be inferred.
printf '\357\273\277{"a":1}\n' >one
status evappend store/one one
account
evcat store/one

# Behind it a line that is no row.
printf '\357\273\277{"a":2}\nno row\n' >two
status evappend store/two two
account
evcat store/two

# In front of the second file, the first having no row at all.
echo 'no row' >bad
status evappend store/three bad one
account
evcat store/three
