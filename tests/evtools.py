"""What the larger tests share: the programs, the shared data folder, counting, and running a child
with its time and memory measured.

From the environment: EVSEG_BIN (or EVS_BIN), folder of the programs, default build/bin; EVSEG_DATA,
folder with gen_seed_events.py and the *.ndjson.zst sets, default ../shared/data beside the
repository.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# `make check` runs the scripts without arguments, and tells the configuration: then they are quick.
QUICK = "EVS_CONFIG" in os.environ
RELEASE = os.environ.get("EVS_CONFIG", "release") == "release" and not os.environ.get("EVS_WRAP")
SLOW = 1 if RELEASE else 10

# A shell's & leaves it ignored, and so would our children.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def bin_dir():
    return (ROOT / (os.environ.get("EVSEG_BIN") or os.environ.get("EVS_BIN")
                    or "build/bin")).resolve()


def tool(name):
    path = bin_dir() / name
    if not path.exists():
        sys.exit("%s is not there: run make first, or set EVSEG_BIN" % path)
    return str(path)


def data_dir():
    """The shared data folder, or None."""
    path = Path(os.environ.get("EVSEG_DATA") or ROOT.parent / "shared" / "data")
    return path if (path / "gen_seed_events.py").exists() else None


class Tally:
    """Counts checks. What failed is shown at once; done() prints the last line and exits."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def check(self, name, ok, detail=""):
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            print("not ok: %s%s" % (name, ": %s" % (detail,) if detail != "" else ""), flush=True)
        return ok

    def equal(self, name, got, want):
        return self.check(name, got == want, "got %.300r, want %.300r" % (got, want))

    def skip(self, name, why):
        self.skipped += 1
        print("skipped: %s: %s" % (name, why), flush=True)

    def done(self):
        if self.skipped:
            print("%d skipped" % self.skipped)
        print("%d passed, %d failed" % (self.passed, self.failed))
        sys.exit(1 if self.failed or not self.passed else 0)


class Scratch:
    """A folder that goes away again (unless EVSEG_KEEP is set). With a tally, the stores in it must
    be sound at the end, but for those whose folder is called `damaged`."""

    def __init__(self, name, parent=None, tally=None):
        self.path = Path(tempfile.mkdtemp(prefix="evseg-%s-" % name, dir=parent))
        self.tally = tally

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        stores = {p.parent.parent for p in self.path.rglob("schema.sql")} if self.tally else ()
        for store in sorted(s for s in stores if s.name != "damaged"):
            ran = run([tool("evcheck"), "-q", store])
            self.tally.check("evcheck of %s" % store.relative_to(self.path), ran.status == 0 and
                             not ran.out, "%d: %.300s %.300s" % (ran.status, ran.out, ran.err))
        if not os.environ.get("EVSEG_KEEP"):
            shutil.rmtree(self.path, ignore_errors=True)


class Ran:
    """How a child ended: status, stdout, stderr, seconds, and its own peak memory in KiB."""

    def __init__(self, status, out, err, seconds, peak_kib):
        self.status, self.out, self.err = status, out, err
        self.seconds, self.peak_kib = seconds, peak_kib

    def account(self):
        """The line of --stats=json as a dict, or None."""
        for line in reversed(self.err.decode(errors="replace").splitlines()):
            if line.startswith("{") and '"stored"' in line:
                return json.loads(line)
        return None


def run(args, data=None, stdin=None, stdout=None, env=None, cwd=None, limits=(), timeout=600,
        user=None):
    """Run to the end. data: bytes for its stdin; stdin, stdout: files; limits: (RLIMIT_*, bytes).

    Output goes through files, so that no pipe of ours slows the child down or holds it up.
    """
    def prepare():
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for what, size in limits:
            resource.setrlimit(what, (size, size))

    temporary = tempfile.TemporaryFile
    with temporary() as out, temporary() as err, temporary() as src:
        if data is not None:
            src.write(data)
            src.seek(0)
        began = time.monotonic()
        p = subprocess.Popen([str(a) for a in args],
                             stdin=stdin or (src if data is not None else subprocess.DEVNULL),
                             stdout=stdout or out, stderr=err, env=env, cwd=cwd,
                             preexec_fn=prepare, user=user)
        status, peak = wait(p, timeout * SLOW)
        seconds = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        return Ran(status, out.read(), err.read(), seconds, peak)


def wait(p, timeout):
    """Wait for a Popen with wait4: (exit status, or -signal; peak KiB)."""
    deadline = time.monotonic() + timeout
    pause = 0.0002
    while True:
        pid, raw, usage = os.wait4(p.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            p.kill()
            _, raw, usage = os.wait4(p.pid, 0)
            break
        time.sleep(pause)
        pause = min(pause * 1.5, 0.01)
    p.returncode = os.waitstatus_to_exitcode(raw)
    return p.returncode, usage.ru_maxrss


# Memory is the child's own only when what forks it is small: exec() hands the forker's peak on.
_LAUNCHER = """
import os, sys, time
report, data, args = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
if data:
    import resource
    resource.setrlimit(resource.RLIMIT_DATA, (data, data))
began = time.monotonic()
pid = os.posix_spawn(args[0], args, os.environ)
_, status, usage = os.wait4(pid, 0)
seconds = time.monotonic() - began
cpu = usage.ru_utime + usage.ru_stime
status = os.waitstatus_to_exitcode(status)
os.write(report, b"%d %d %f %f" % (status, usage.ru_maxrss, seconds, cpu))
"""


def measured(args, stdin=None, stdout=None, data_limit=0, timeout=3600):
    """Run with its own memory and time measured, and under RLIMIT_DATA when given (bytes)."""
    out = stdout if stdout is not None else subprocess.DEVNULL
    report_in, report_out = os.pipe()
    with tempfile.TemporaryFile() as err:
        p = subprocess.Popen([sys.executable, "-I", "-S", "-c", _LAUNCHER, str(report_out),
                              str(data_limit), *map(str, args)],
                             stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                             pass_fds=[report_out])
        os.close(report_out)
        p.wait(timeout * SLOW)
        report = os.read(report_in, 200).split()
        if len(report) != 4:
            err.seek(0)
            sys.exit("the launcher failed: %r" % err.read())
        os.close(report_in)
        err.seek(0)
        ran = Ran(int(report[0]), b"", err.read(), float(report[2]), int(report[1]))
        ran.cpu = float(report[3])
        return ran


def append(stream, *args, **kw):
    return run([tool("evappend"), "--stats=json", *args[:-1], stream, args[-1]] if args
               and _is_file(args[-1])
               else [tool("evappend"), "--stats=json", *args, stream], **kw)


def _is_file(arg):
    return isinstance(arg, Path)


def cat(*args, **kw):
    return run([tool("evcat"), *args], **kw)


def generate(table, rows, *args):
    """NDJSON of one table of the generator, as bytes."""
    command = [sys.executable, str(data_dir() / "gen_seed_events.py"), "--table", table, "--rows",
               str(rows),
               *[str(a) for a in args]]
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def unpack(path):
    return subprocess.run(["zstd", "-dcq", str(path)], stdout=subprocess.PIPE, check=True).stdout
