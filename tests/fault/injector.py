"""Programs run with fault.c in front of the C library, and stores as trees of bytes.

A tree is a dict: relative path -> bytes of a file, None for a folder, str for a symbolic link.
"""

import errno
import hashlib
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from evtools import SLOW, tool  # noqa: E402

CONFIG = os.environ.get("EVS_CONFIG", "release")
ASAN = CONFIG == "asan"
PAGE, HEAD, ENTRY = 4096, struct.Struct("qqq"), struct.Struct("24sqq")
TIMEOUT = 10 * SLOW

E = errno
FILE = [E.EIO, E.EACCES, E.EINTR]
FULL = [E.EIO, E.ENOSPC, E.EDQUOT, E.EINTR]
# What each kind of call is made to do, one call of it and every one from there on; "each" is EINTR
# at every call once. EINTR for ever, or EAGAIN of what may be a pipe, is no fault but a wait that
# does not end.
PIPES = ("read", "write", "stdout")
FAULTS = {
    "malloc": [E.ENOMEM],
    "open": [E.EIO, E.EMFILE, E.EACCES, E.ENOSPC, E.EINTR],
    "close": [E.EIO, E.EINTR],
    "read": [E.EIO, E.EAGAIN, E.EINTR, "half"],
    "pread": [E.EIO, E.EAGAIN, E.EINTR, "half"],
    "write": FULL + [E.EAGAIN, "half"],
    "pwrite": FULL + [E.EAGAIN, "half"],
    "stdout": FULL + [E.EAGAIN, "half"],
    "stat": FILE, "fstat": FILE, "fstatat": FILE, "lseek": [E.EIO],
    "fsync": FULL, "fdatasync": FULL, "ftruncate": FULL, "fchmod": FILE, "fchown": [E.EPERM],
    "rename": FULL, "unlink": FILE, "mkdir": FULL, "rmdir": FILE, "mkstemp": FULL, "realpath": FILE,
    "opendir": FILE + [E.EMFILE], "readdir": [E.EIO, E.EINTR],
    "setlk": [E.ENOLCK, E.EIO, E.EINTR], "getlk": [E.ENOLCK, E.EIO, E.EINTR],
    "dupfd": [E.EMFILE], "fcntl": [E.EIO], "dup2": [E.EMFILE, E.EINTR], "pipe": [E.EMFILE],
    "fork": [E.EAGAIN, E.ENOMEM], "execlp": [E.ENOENT, E.ENOMEM], "waitpid": [E.EINTR],
    "poll": [E.ENOMEM, E.EINTR], "nanosleep": [E.EINTR], "pthread_create": [E.EAGAIN],
    "random": [E.EIO, E.ENOSYS],
    "realtime": ["back", "ahead", "to-and-fro"], "monotonic": ["ahead", "back", "to-and-fro"],
}
KILLED = [
    "write", "pwrite", "fsync", "fdatasync", "ftruncate", "rename", "unlink", "mkdir", "rmdir",
    "open"
]
INVISIBLE = (E.EINTR, "each", "half", "back", "ahead", "to-and-fro")
# The store must be named when one of these failed.
NAMED = ["open", "pread", "write", "pwrite", "stat", "fstat", "fsync", "fdatasync", "ftruncate",
         "rename", "unlink", "mkdir", "opendir", "readdir", "setlk", "realpath"]


# What programs call of libraries besides what fault.c stands in front of: it asks the system for
# nothing, or for nothing that can fail, or goes by way of what is in front (memory of strdup and
# regcomp; compressing). Standard output by stdio is tried for real, in tests/fault/world.
ELSEWHERE = re.compile(r"""(ZSTD|XXH|crypto|sodium|randombytes)_?\w*|mem\w+|str\w+
    |v?sn?printf|reg\w+|inet_\w+|pthread_(mutex|cond|attr|join|self|sigmask)\w*
    |opt(ind|arg|err|opt)|getopt_long|getenv|std(in|out|err)|v?f?printf|f?put[cs]|putchar|puts
    |fwrite|fflush|ferror|fgets|fileno|qsort|bsearch|ll?round|sqrt|ldexp|fma|pow\w*
    |log\w*|exp\w*|floor|ceil|trunc|round|fmod|s?abs
    |(new|use|free)locale|isatty|ioctl|closedir|dirfd|mallopt|malloc_trim|free|kill|sigaction|signal|_exit|abort
    |__(errno_location|assert_fail|xpg_strerror_r|sysv_signal|ctype_b_loc|isoc\d+_\w+|stack_chk_fail
      |cxa_finalize|gmon_start__|libc_start_main|x86_\w+)|_ITM_\w+""", re.X)


class Fault:
    """The `at`th call of `kind` does `what`; `ever`: so do all after it."""

    def __init__(self, kind, at, what, ever):
        self.kind, self.at, self.what, self.ever = kind, at, what, ever

    def __str__(self):
        what = errno.errorcode.get(self.what, self.what)
        return "%s %d%s -> %s" % (self.kind, self.at, " and on" if self.ever else "", what)

    def env(self):
        env = {"FAULT_CALL": self.kind, "FAULT_AT": str(self.at), "FAULT_DO": str(self.what)}
        return {**env, "FAULT_EVER": "1"} if self.ever else env

    @property
    def kills(self):
        return self.what in ("kill-before", "kill-after")

    @property
    def invisible(self):
        return self.what in INVISIBLE

    @property
    def reason(self):
        """What the message must say, one of these."""
        if self.what == E.ENOMEM:
            return ["out of memory", os.strerror(E.ENOMEM)]
        return [os.strerror(self.what)]


def faults_of(counts, kill):
    """All faults that calls so many of each kind can suffer."""
    found = []
    for kind, n in sorted(counts.items()):
        for what in FAULTS[kind]:
            for at in range(1, n + 1):
                found.append(Fault(kind, at, what, False))
                if what != E.EINTR and not (kind in PIPES and what == E.EAGAIN):
                    found.append(Fault(kind, at, what, True))
            if what == E.EINTR:
                found.append(Fault(kind, 1, "each", True))
        if kill and kind in KILLED:
            found += [Fault(kind, at, what, False) for what in ("kill-before", "kill-after")
                      for at in range(1, n + 1)]
    return found


class Injector:
    def __init__(self, folder):
        """Builds the library. self.why: why that cannot be done, or None."""
        self.folder, self.so = folder, folder / "fault.so"
        cc = os.environ.get("EVS_CC", "cc").split()
        built = subprocess.run([*cc, "-shared", "-fPIC", "-O1", "-fno-builtin", "-w", "-o",
                                str(self.so), str(HERE / "fault.c"), "-ldl"],
                               capture_output=True, text=True)
        self.why = None
        if CONFIG in ("tsan", "valgrind") or os.environ.get("EVS_WRAP"):
            self.why = "LD_PRELOAD does not go together with %s" % CONFIG
        elif built.returncode != 0:
            self.why = "cannot build the library that makes calls fail: " + built.stderr[-500:]

    def unwatched(self, tools):
        """Functions that the programs call and that nobody lets fail; None without nm."""
        ours = symbols(self.so, "--defined-only")
        theirs = [symbols(tool(name), "--undefined-only") for name in tools]
        if None in [ours, *theirs]:
            return None
        return sorted(n for n in set().union(*theirs) - ours if not ELSEWHERE.fullmatch(n))

    def run(self, args, cwd, data=b"", fault=None, stdin=None):
        """(CompletedProcess or None when it hangs, {kind: calls}, number of faults). The process
        gets `kept`: pieces of memory that main() left, or None when it did not return."""
        fd, board = tempfile.mkstemp(dir=self.folder)
        os.write(fd, bytes(PAGE))
        os.close(fd)
        env = {**os.environ, "LD_PRELOAD": str(self.so), "FAULT_BOARD": board}
        if ASAN:
            env["ASAN_OPTIONS"] = "exitcode=99:detect_leaks=1:verify_asan_link_order=0"
        try:
            p = subprocess.run([tool(args[0]), *args[1:]], cwd=cwd, timeout=TIMEOUT,
                               **({"stdin": stdin} if stdin else {"input": data}),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, close_fds=False,
                               env={**env, **(fault.env() if fault else {})})
        except subprocess.TimeoutExpired:
            p = None
        raw = Path(board).read_bytes()
        os.unlink(board)
        counts, faults = {}, 0
        _, ended, kept = HEAD.unpack_from(raw)
        if p:
            p.kept = kept if ended and not ASAN else None  # which has pieces of its own, and tells
        for at in range(HEAD.size, PAGE - ENTRY.size, ENTRY.size):
            name, calls, hits = ENTRY.unpack_from(raw, at)
            if calls and name[0]:
                counts[name.rstrip(b"\0").decode()] = calls
                faults += hits
        return p, counts, faults


def symbols(path, which):
    """Dynamic symbols of a program or library, without their versions; None without nm."""
    try:
        ran = subprocess.run(["nm", "-D", which, str(path)], capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return {x.split()[-1].split("@")[0] for x in ran.stdout.splitlines()} or None


def plain(args, cwd, data=b"", env=None):
    return subprocess.run([tool(args[0]), *args[1:]], input=data, capture_output=True, cwd=cwd,
                          env={**os.environ, **(env or {})}, timeout=TIMEOUT, close_fds=False)


# ---- trees ---------------------------------------------------------------------------------------

def load_tree(folder):
    tree = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            tree[name] = os.readlink(path)
        else:
            tree[name] = None if path.is_dir() else path.read_bytes()
    return tree


def save_tree(tree, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in tree.items():
        path = folder / name
        if data is None:
            path.mkdir()
        elif isinstance(data, str):
            path.symlink_to(data)
        else:
            path.write_bytes(data)


def tree_hash(tree):
    return hashlib.blake2b(repr(sorted(tree.items(), key=lambda x: x[0])).encode()).digest()


def died(status):
    """A sanitizer's report, or a signal that nobody sent."""
    return status == 99 or (status < 0 and -status != signal.SIGKILL)


def memory_folder():
    """Syncs cost nothing there; whether a real disk keeps what it says is not the question here."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
