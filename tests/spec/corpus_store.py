"""What the cases of make_corpus.py share: a store to append to, and the list of cases."""

import json
import os
import re
import subprocess

NOW = "2024-03-01T12:00:00.123456789Z"
WEEK = "ENGINE = MergeTree PARTITION BY toMonday(ts) ORDER BY ts"

CASES = {}


def case(f):
    CASES[f.__name__.replace("_", "-")] = f
    return f


class Store:
    """A stream in a temporary folder."""

    def __init__(self, bindir, folder):
        self.bindir, self.folder, self.stream = bindir, folder, None

    def run(self, tool, *args, stdin=b"", want=0):
        done = subprocess.run([os.path.join(self.bindir, tool), "--now", NOW, *args], input=stdin,
                              capture_output=True, cwd=self.folder)
        if done.returncode != want:
            raise SystemExit(f"{tool} {args}: {done.returncode}: {done.stderr.decode()}")
        return done.stdout

    def schema(self, text):
        with open(os.path.join(self.folder, "schema.sql"), "w") as f:
            f.write(text)
        self.run("evschema", "-q", "apply", "st", "schema.sql")
        self.stream = re.search(r"CREATE TABLE (?:IF NOT EXISTS )?\"?(\w+)", text).group(1)

    def append(self, rows, *args, stream=None, want=0):
        """Rows: objects, or lines of JSON as they are."""
        lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in rows]
        self.run("evappend", *args, "st/" + (stream or self.stream),
                 stdin="".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass"),
                 want=want)
        self.stream = stream or self.stream

    def segments(self):
        found = []
        for root, _, files in os.walk(os.path.join(self.folder, "st")):
            found += [os.path.join(root, f) for f in files if f.endswith(".evs")]
        return sorted(found)

    def only(self):
        found = self.segments()
        assert len(found) == 1, found
        return found[0]


def at(i, start="2024-01-01T00:00:00", digits=0):
    """The i-th second behind a Monday, as text."""
    day, rest = divmod(i, 86400)
    text = "2024-01-%02dT%02d:%02d:%02d" % (1 + day, rest // 3600, rest // 60 % 60, rest % 60)
    return text + ("." + "%0*d" % (digits, i * 7919 % 10 ** digits) if digits else "") + "Z"
