#!/usr/bin/env python3
"""Make the golden segments of corpus/good and corpus/crash.

    make_corpus.py BINDIR [NAME...]

Segments hold a random id and salt, so each run makes other bytes: a golden file is made once and
kept for ever, also when later writers lay rows down otherwise. Run this only to add a file (name
it: files that are there are left alone). Each case says how its rows are appended, with evschema
and evappend; NAME.ndjson is then what evcat prints, and tests/spec/run holds it against reader.py.
forge_corpus.py makes the files that no writer makes.
"""

import os
import shutil
import subprocess
import sys
import tempfile

import corpus_compact  # noqa: F401
import corpus_encodings  # noqa: F401
import corpus_shapes  # noqa: F401
import corpus_types  # noqa: F401
from corpus_store import CASES, Store

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, "..", "..", "corpus")


def crash_files(bindir):
    """Tails as a crash or a later cut leaves them, from three-commits: NAME.ndjson is what must
    come out."""
    with open(os.path.join(CORPUS, "good", "three-commits.evs"), "rb") as f:
        data = f.read()
    starts = [i for i in range(0, len(data), 8) if data[i:i + 5] == b"\x89EVS\x02"]
    commits = [i for i in range(0, len(data), 8) if data[i:i + 5] == b"\x89EVS\x03"]
    last, commit = starts[-1], commits[-1]
    size = commit - last
    yield "cut-in-group-head", data[:last + 17]
    yield "cut-in-group", data[:last + 60]
    yield "cut-behind-group", data[:commit]
    yield "cut-in-commit", data[:commit + 100]
    yield "cut-before-trailers", data[:-128]
    yield "cut-in-first-trailer", data[:-100]
    yield "cut-behind-first-trailer", data[:-64]
    yield "cut-in-second-trailer", data[:-3]
    yield "group-is-zero", data[:last] + bytes(size) + data[commit:]
    yield "commit-is-zero", data[:commit] + bytes(len(data) - commit)
    yield "commit-without-trailers", data[:-128] + bytes(128)
    yield "only-trailers", data[:last] + bytes(len(data) - last - 128) + data[-128:]
    yield "append-is-zero", data[:last] + bytes(len(data) - last)
    trailers = last - 128
    yield "two-appends-lost", (data[:trailers] + bytes(128 + size) + data[commit:])
    yield "foreign-bytes-behind", data + b"left over" * 5


def main():
    bindir = os.path.abspath(sys.argv[1])
    good = os.path.join(CORPUS, "good")
    for name in sys.argv[2:] or CASES:
        target = os.path.join(good, name + ".evs")
        if os.path.exists(target) or name not in CASES:
            continue
        with tempfile.TemporaryDirectory() as folder:
            s = Store(bindir, folder)
            CASES[name](s)
            shutil.copyfile(s.only(), target)
        with open(target[:-4] + ".ndjson", "wb") as f:
            f.write(subprocess.run([os.path.join(bindir, "evcat"), target], capture_output=True,
                                   check=True).stdout)
        print(f"{os.path.getsize(target):8} {name}")
    if not sys.argv[2:]:
        for name, data in crash_files(bindir):
            target = os.path.join(CORPUS, "crash", name + ".evs")
            if os.path.exists(target):
                continue
            with open(target, "wb") as f:
                f.write(data)
            with open(target[:-4] + ".ndjson", "wb") as f:
                done = subprocess.run([os.path.join(bindir, "evcat"), target], capture_output=True)
                f.write(done.stdout)
            print(f"{len(data):8} crash/{name}: {done.returncode}")


if __name__ == "__main__":
    main()
