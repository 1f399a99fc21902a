"""A copy of the tree, built, in which one mutant after the other meets the tests."""

import hashlib
import json
import os
import resource
import re
import shutil
import signal
import subprocess
import tempfile
import time
from fnmatch import fnmatch
from pathlib import Path

import mutants

# What says nothing about these files is left out: the other rooms, the installation, memory caps.
OTHERS = ("test_agg", "test_cli", "test_compatible", "test_convert", "test_ddl", "test_expr",
          "test_fail_query", "test_infer", "test_json", "test_order", "test_select", "test_time",
          "test_types", "fuzz_agg", "fuzz_ddl", "fuzz_expr", "fuzz_infer", "fuzz_json",
          "fuzz_ndjson", "fuzz_number", "fuzz_select")
QUICK_SCRIPTS = ["tests/spec/run", "tests/cli/run"]
SCRIPTS = QUICK_SCRIPTS + ["tests/systems/run", "tests/damage/run", "tests/crash/power.py",
                           "tests/crash/kill9.py", "tests/fault/run", "tests/roundtrip/values.py"]
SLOW = {"quick": ("fuzz_roundtrip",), "asan": ("fuzz_roundtrip", "fuzz_encode", "fuzz_frame")}
FLAGS = {"release": ["CFLAGS=-O1"],
         "asan": ["CFLAGS=-O1", "SANITIZE=-fsanitize=address,undefined -fno-sanitize-recover=all"]}
FILE_BYTES, MEMORY = 1 << 30, 6 << 30
# Seconds: CPU beyond three times what the unchanged tree takes, and how long nothing may be
# computed. A machine that is busy with other things makes neither of them pass.
CPU_MORE, IDLE_MOST = 10, 60
TICKS = os.sysconf("SC_CLK_TCK")


class Test:
    """One program; `wall` and `cpu` are the seconds that it took on the unchanged tree."""

    def __init__(self, config, name, target, command):
        self.config, self.name, self.target, self.command = config, name, target, command
        self.wall, self.cpu = 600.0, 600.0


class Watch:
    """A session of processes, looked at now and then: does it compute for too long, or wait for
    ever?"""

    def __init__(self, session, cpu):
        self.session, self.most = str(session), CPU_MORE + 3 * cpu
        self.seen, self.rose = 0.0, time.monotonic()

    def cpu(self):
        """Seconds of all that run, and of all whose end was waited for."""
        ticks = 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                fields = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended
            if fields[3] == self.session:
                ticks += sum(map(int, fields[11:15]))
        return ticks / TICKS

    def hangs(self):
        cpu, now = self.cpu(), time.monotonic()
        if cpu > self.seen:
            self.seen, self.rose = cpu, now
        return cpu > self.most or now - self.rose > IDLE_MOST


class Suite:
    """The tests of one configuration in one copy of the tree."""

    def __init__(self, folder, config, quick, only):
        self.folder, self.config = folder, config
        self.scripts = QUICK_SCRIPTS if quick or config == "asan" else SCRIPTS
        self.build, self.took = "build/%s" % config, (0.0, 0.0)
        self.sources = [s for glob in ("tests/unit/test_*.c", "tests/fuzz/fuzz_*.c")
                        for s in sorted(folder.glob(glob)) if not s.stem.startswith(
                            OTHERS + SLOW.get("quick" if quick else config, ()))]
        if only:
            self.sources = [s for s in self.sources if any(fnmatch(s.stem, o) for o in only)]
            self.scripts = [s for s in self.scripts if any(fnmatch(s, o) for o in only)]
        programs = folder / ("build/bin" if config == "release" else self.build + "/bin")
        data = mutants.ROOT.parent / "shared/data"
        self.env = dict(os.environ,
                        EVS_CONFIG=config,
                        EVS_BUILD=str(folder / self.build),
                        EVS_BIN=str(programs),
                        PATH="%s:%s" % (programs, os.environ["PATH"]),
                        PYTHONDONTWRITEBYTECODE="1",
                        PYTHONUNBUFFERED="1",
                        TMPDIR=str(folder / "tmp"),
                        ASAN_OPTIONS="exitcode=99:detect_leaks=1",
                        EVSEG_DATA=os.environ.get("EVSEG_DATA", str(data)))

    def make(self, *targets):
        """True when they compile."""
        command = ["make", "-s", "CONFIG=" + self.config, *FLAGS[self.config], "WERROR=", *targets]
        return subprocess.run(command, cwd=self.folder, env=self.env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0

    def library(self):
        return self.make(self.build + "/libevseg.a")

    def code(self):
        return hashlib.sha256((self.folder / self.build / "libevseg.a").read_bytes()).digest()

    def tests(self):
        found = []
        for source in self.sources:
            folders = ["corpus", "tests/fuzz/seeds/" + source.stem.removeprefix("fuzz_")]
            folders = [f for f in folders if source.stem.startswith("fuzz_")
                       and (self.folder / f).is_dir()]
            program = self.program(source)
            found.append(Test(self.config, source.stem, program, [program] + folders))
        for script in self.scripts:
            if (self.folder / script).exists():
                target = "tools" if script in QUICK_SCRIPTS else "tests"
                found.append(Test(self.config, script, target, ["./" + script]))
        return found

    def program(self, source):
        return "%s/%s/%s" % (self.build, source.parent.relative_to(self.folder), source.stem)

    def run(self, test):
        """None when it passes (or cannot run here), else how it did not. Linked when its turn
        comes."""
        if not self.make(test.target):
            return "does not link"
        (self.folder / "tmp").mkdir(exist_ok=True)
        started, cpu = time.monotonic(), children_cpu()
        how = watched(test.command, test.cpu, cwd=self.folder, env=self.env,
                      preexec_fn=lambda: self.prepare(test))
        self.took = time.monotonic() - started, children_cpu() - cpu
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        return how

    def prepare(self, test):
        for ignored in (signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE):  # a shell's & does that
            signal.signal(ignored, signal.SIG_DFL)
        cpu = 4 + int(4 * test.cpu)  # of one process
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.config == "release":
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def watched(command, cpu, **options):
    """Run it in a session of its own, to its first failure at most: None when it passes, else how
    it did not."""
    with tempfile.TemporaryFile() as output:
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                             stderr=subprocess.STDOUT, start_new_session=True, **options)
        how, watch = None, Watch(p.pid, cpu)
        try:
            while p.poll() is None and not how:
                try:
                    p.wait(0.5)
                except subprocess.TimeoutExpired:
                    how = failure(output) or ("took too long" if watch.hangs() else None)
        finally:
            end_session(p.pid)
            p.wait()
        if how or p.returncode in (0, 77):
            return how
        lines = text_of(output).strip().splitlines()
        return lines[-1] if lines else "status %d" % p.returncode


def text_of(file):
    """The end of it."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), 1 << 16, max(0, size - (1 << 16))).decode(errors="replace")


def failure(file):
    found = re.search(r"^not ok.*\n", text_of(file), re.M)
    return found and found[0].strip()


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def end_session(pid):
    """Of a child that began a session of its own: whatever it has left behind."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Copy:
    """The tree as Git knows it, in a folder of its own, built with and without sanitizers."""

    def __init__(self, folder, quick, only=None):
        self.folder = Path(folder)
        self.digest = hashlib.sha256()
        names = subprocess.run(["git", "ls-files", "-z"], cwd=mutants.ROOT, check=True,
                               stdout=subprocess.PIPE).stdout.decode().split("\0")[:-1]
        for old in self.folder.rglob("*") if self.folder.exists() else ():
            path = str(old.relative_to(self.folder))
            if old.is_file() and not path.startswith("build/") and path not in names:
                old.unlink()  # Git has let go of it
        for name in names:
            here = mutants.ROOT / name
            there = self.folder / name
            there.parent.mkdir(parents=True, exist_ok=True)
            self.digest.update(here.read_bytes())
            if not there.exists() or there.read_bytes() != here.read_bytes():
                shutil.copy(here, there)  # with the time of now, so that make sees it
        self.suites = [Suite(self.folder, config, quick, only)
                       for config in (["release"] if quick else FLAGS)]
        for suite in self.suites:
            if not suite.make("tools", *map(suite.program, suite.sources)):
                raise SystemExit("mutants: the unchanged tree does not compile (%s)" % suite.config)
        self.code = self.suites[0].code()

    def measure(self):
        """All tests of the unchanged tree, which must pass; each with its time."""
        tests = []
        kept = self.folder / "build/times.json"
        known = json.loads(kept.read_text()) if kept.exists() else {"times": {}}
        times = known["times"] if known.get("of") == self.digest.hexdigest() else {}
        for suite in self.suites:
            for test in suite.tests():
                key = "%s %s" % (test.config, test.name)
                how = None if key in times else suite.run(test)
                if how:
                    raise SystemExit("mutants: %s (%s) fails on the unchanged tree: %s"
                                     % (test.name, suite.config, how))
                test.wall, test.cpu = times.setdefault(key, suite.took)
                tests.append(test)
        kept.write_text(json.dumps({"of": self.digest.hexdigest(), "times": times}))
        return tests

    def judge(self, mutant, in_order):
        """("killed", by, how), ("survived", "", "") or why it does not count: "compiles not" or
        "same code". `in_order` gives the tests, most likely first."""
        path = self.folder / mutant.file
        text = path.read_text()
        try:
            path.write_text(mutants.apply(text, mutant))
            release = self.suites[0]
            if not release.library():
                return "compiles not", "", ""
            if release.code() == self.code:
                return "same code", "", ""
            for suite in self.suites:
                for test in in_order(suite.config, mutant.file):
                    how = suite.run(test)
                    if how:
                        return "killed", test, how
            return "survived", "", ""
        finally:
            path.write_text(text)
