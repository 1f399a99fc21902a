# What comes from outside cannot steer the terminal.
evcat "$(printf 'no\033[31m\nsuch')" 2>err; echo "exit $?"
grep -c "$(printf '\033')" err
wc -l <err
