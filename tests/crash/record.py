"""What a program does to files, as a list of calls in one order, from strace.

strace sees every system call whatever the C library does. A call that is neither known to leave
files alone nor known to disk.py ends the test: a new tool cannot slip past the model.
"""

import re
import shutil
import subprocess
from pathlib import Path

# Calls that change no file, or nothing of one that the model speaks of (modes, times, locks).
HARMLESS = set("""
access arch_prctl brk chdir clock_getres clock_gettime clock_nanosleep epoll_create1 epoll_ctl
epoll_wait eventfd2 execve exit exit_group faccessat faccessat2 fadvise64 fchmod fchmodat fchown
flock fstat fstatfs futex futimesat getcwd getdents64 getegid geteuid getgid getpid getppid
getrandom getrlimit getrusage gettid gettimeofday getuid kill lstat madvise membarrier mincore
mprotect mremap munmap nanosleep newfstatat poll ppoll pread64 preadv preadv2 prctl prlimit64
pselect6 read readahead readlink readlinkat readv restart_syscall rseq rt_sigaction rt_sigprocmask
rt_sigreturn rt_sigsuspend rt_sigtimedwait sched_getaffinity sched_setaffinity sched_yield select
set_robust_list set_tid_address setitimer sigaltstack stat statfs statx sync_file_range sysinfo
tgkill time timer_create timer_settime uname utimensat wait4
""".split())

# Calls that disk.py plays, or that lead it from a descriptor to a file.
PLAYED = set("""
close copy_file_range creat dup dup2 dup3 fallocate fcntl fdatasync fsync ftruncate ioctl link
linkat lseek mkdir mkdirat mmap open openat pipe pipe2 pwrite64 pwritev pwritev2 rename renameat
renameat2 rmdir sendfile sync syncfs truncate unlink unlinkat write writev clone clone3
""".split())

LINE = re.compile(r"(?:(\d+)\s+)?(.*)", re.S)
CALL = re.compile(r"(\w+)\((.*)\)\s*= (-?\d+|0x[0-9a-f]+|\?)(.*)", re.S)
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.S)
UNFINISHED = " <unfinished ...>"


class Unknown(Exception):
    """The program made a call that the model does not know."""


class Call:
    """A system call: name, arguments as strace has them, result, and when it began and ended."""

    def __init__(self, name, args, result, begin, end):
        self.name, self.args, self.result = name, args, result
        self.begin, self.end = begin, end

    def __repr__(self):
        return "%s(%.200s) = %d" % (self.name, ", ".join(self.args), self.result)


def can_trace():
    """None, or why no program can be traced here."""
    if not shutil.which("strace"):
        return "strace is not installed"
    ran = subprocess.run(["strace", "-o", "/dev/null", "true"], stdin=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, check=False)
    return None if ran.returncode == 0 else "strace cannot trace here: %.200s" % (
        ran.stderr.decode(errors="replace").strip(),)


def trace(command, cwd, stdin, stdout, log):
    """Run it under strace. Returns its exit status, its messages and its calls."""
    with open(stdin, "rb") as src, open(stdout, "wb") as out:
        ran = subprocess.run(["strace", "-f", "-xx", "-s", "16777216", "-o", str(log), *command],
                             stdin=src, stdout=out, stderr=subprocess.PIPE, cwd=cwd, check=False)
    return ran.returncode, ran.stderr, parse(Path(log).read_text())


def parse(text):
    calls, open_calls = [], {}
    for at, line in enumerate(text.splitlines()):
        pid, rest = LINE.fullmatch(line).groups()
        if rest.startswith(("+++", "---")):
            continue
        begin = at
        resumed = RESUMED.match(rest)
        if rest.endswith(UNFINISHED):
            open_calls[pid] = (at, rest[:-len(UNFINISHED)])
            continue
        if resumed:
            begin, start = open_calls.pop(pid)
            rest = start + resumed[2]
        call = CALL.fullmatch(rest)
        if not call:
            raise Unknown("a line of strace that cannot be read: %.300s" % line)
        result = -1 if call[3] == "?" else int(call[3], 0)
        calls.append(Call(call[1], split(call[2]), result, begin, at))
    for at, rest in open_calls.values():  # exit_group never returns
        name, args = rest.split("(", 1)
        calls.append(Call(name, split(args), -1, at, at))
    for call in calls:
        if call.name not in HARMLESS and call.name not in PLAYED:
            raise Unknown("a call that the model does not know: %r" % call)
    return sorted(calls, key=lambda c: c.begin)


def split(text):
    """Arguments: commas outside of brackets. Strings are all \\xHH, so no others hide in them."""
    out, depth, start = [], 0, 0
    for at, c in enumerate(text):
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            out.append(text[start:at].strip())
            start = at + 1
    rest = text[start:].strip()
    return out + [rest] if rest else out


def strings(arg):
    """The bytes of all strings in an argument, joined."""
    if '"...' in arg:
        raise Unknown("strace cut a string short")
    return b"".join(bytes.fromhex(s.replace("\\x", "")) for s in re.findall(r'"([^"]*)"', arg))
