. "$CLI/lib.sh"

# A long stream gets a pipe with more room, at both ends; a short one leaves it as it is.
make_stream
cat >pipe.py <<'PY'
import fcntl, os, subprocess, sys
GETPIPE_SZ = 1032
def room(fd, before):
    now = fcntl.fcntl(fd, GETPIPE_SZ)
    return "as it was" if now == before else now
r, w = os.pipe()
before = fcntl.fcntl(r, GETPIPE_SZ)
p = subprocess.Popen(["evappend", "-q", "store/events"], stdin=r)
rows = open("rows", "rb").read()
for i in range(2000):
    os.write(w, rows)
print("evappend:", room(w, before))
os.close(w)
os.close(r)
p.wait()
for rows in ["3"], []:
    r, w = os.pipe()
    p = subprocess.Popen(["evcat", *(["-n", rows[0]] if rows else []), "store/events"], stdout=w)
    os.close(w)
    size = 0
    while True:
        n = len(os.read(r, 4096))
        size += n
        if not n:
            break
    print("evcat:", room(r, before), size > 65536, p.wait())
PY
rows >rows
python3 pipe.py
