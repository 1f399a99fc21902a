. "$CLI/lib.sh"

# A whole tenant, whatever its time and whatever it keeps; asked first.
make_store
evexpire --keep forever --tenant acme store/events
evexpire --tenant acme --all --dry-run -o tsv store | cut -f 2-5
evexpire --tenant acme --all store; echo "exit $?"
cat >on_a_terminal.py <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
out = b""
while b"?" not in out:
    out += os.read(fd, 1000)
os.write(fd, sys.argv[1].encode() + b"\n")
try:
    while True:
        out += os.read(fd, 1000)
except OSError:
    pass
print(out.decode().replace("\r", ""), end="")
print("exit", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
python3 on_a_terminal.py n evexpire --tenant acme --all store
ls store/events
python3 on_a_terminal.py y evexpire --tenant acme --all store
ls store/events
ledger | grep dropped
# A segment that was never finished does not keep the folder; one that is being made does.
touch store/events/zeta/.2025-02-03.evs.new store/events/zeta/.2025-01-06.evs.compact
hold store/events/zeta/.2025-02-03.evs.new
evexpire --tenant zeta --all --yes store; echo "exit $?"
ls -A store/events/zeta
echo >let-go; wait
rows | grep zeta | evappend -q store/events
evexpire --tenant zeta --all --yes store; echo "exit $?"
ls -A store/events
evexpire --tenant zeta --all --yes store; echo "exit $?"
