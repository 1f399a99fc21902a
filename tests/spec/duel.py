#!/usr/bin/env python3
"""Two readers on the same broken bytes: evcat and reader.py must deliver the same rows and end
alike.

    duel.py [SECONDS [SEED]]

Half of the files are golden ones, damaged as disks and people do it; half are sound files around
columns whose bytes were changed before the checksums were made, so that the decoders see them.
Without SECONDS, a fixed number of files, always the same ones. A file on which they differ is kept
in the current folder. The last line is "N passed, N failed"; a column counts as a file.
"""

import argparse
import contextlib
import glob
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import forge_good  # noqa: E402
import reader  # noqa: E402
import spec_column  # noqa: E402
import spec_schema  # noqa: E402
from forge import CREATED, Forge, plain, texts, varint  # noqa: E402

ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
BIN = os.path.join(ROOT, os.environ.get("EVSEG_BIN") or os.environ.get("EVS_BIN") or "build/bin")
N = 5  # rows of a group
GROUPS = 60  # of a file
FILES = 120  # of a run without SECONDS
TYPES = {"i": "UInt32", "w": "Int64", "b": "Int8", "f": "Float64", "g": "Float32", "u": "UUID",
         "s": "String", "l": "Array(UInt8)", "m": "Map(String, Nullable(UInt8))"}
LACKING = [b"\1\x1f", b"\2\1\1" + plain(4, 5), b"\1\x15", b"\2\0\3" + plain(4, 2, 2, 1)]


class Rows(list):
    def writelines(self, lines):
        self.extend(lines)


def mine(path):
    rows, said = Rows(), io.StringIO()
    with contextlib.redirect_stderr(said):
        try:
            options = argparse.Namespace(census=False, check=False, nulls=False)
            status = 0 if reader.read(path, rows, options) else 3
        except spec_column.TooBig:
            return None
        except Exception:
            traceback.print_exc()
            status = 1
    return b"".join(rows), status, said.getvalue()


def theirs(path):
    done = subprocess.run([os.path.join(BIN, "evcat"), path], capture_output=True)
    return done.stdout, done.returncode, done.stderr.decode(errors="replace")


def quote_anything(raw):
    """What is no UTF-8 is printed in some way; how is not compared."""
    return b'"' + raw.decode("utf-8", "replace").translate(spec_schema.ESCAPES).encode() + b'"'


def comparable(rows):
    return rows.replace(b"\xef\xbf\xbd", b"")


# ---- damage -------------------------------------------------------------------------------------


def damage(r, data):
    """A golden file with one to three faults."""
    data = bytearray(data)
    for _ in range(r.choice((1, 1, 1, 2, 3))):
        if not data:
            break
        n, kind = len(data), r.randrange(8)
        at = r.randrange(n)
        sector = r.choice((512, 4096))
        start = at // sector * sector
        if kind == 0:
            data[at] ^= 1 << r.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            data[start:start + sector] = bytes(len(data[start:start + sector]))
        elif kind == 3:
            other = r.randrange(n) // sector * sector
            a, b = data[start:start + sector], data[other:other + sector]
            if len(a) == len(b):
                data[start:start + sector], data[other:other + sector] = b, a
        elif kind == 4:
            some = min(n - at, r.randrange(1, 600))
            data[at:at + some] = r.randbytes(some)
        elif kind == 5:
            data[start:] = bytes(n - start)
        elif kind == 6:
            frames = [m.start() for m in re.finditer(b"\x89EVS", bytes(data))] + [n]
            i = r.randrange(max(1, len(frames) - 1))
            piece = slice(frames[i], frames[min(i + 1, len(frames) - 1)])
            if r.random() < .5:
                del data[piece]
            else:
                data[frames[i]:frames[i]] = data[piece]
        else:
            data += data[at:]
    return bytes(data)


# ---- columns ------------------------------------------------------------------------------------


def pools():
    """Sound bytes of N rows for each column."""
    caught = {}
    keep, forge_good.nodes = forge_good.nodes, lambda n, lists: caught.update(lists) or Forge()
    for make in forge_good.GOOD.values():
        if "nodes_of" in make.__name__:
            make()
    forge_good.nodes = keep
    out = {name: [data for nulls, data in caught.get(name, ()) if not nulls] for name in TYPES}
    out["f"] += out["w"]
    out["g"] += out["i"]
    out["l"] = [plain(4, 1, 0, 2, 1, 1) + varint(0) + plain(1, *range(5)), plain(4, 0, 0, 0, 0, 0),
                plain(4, 1, 0, 2, 1, 1) + varint(2) + b"\1\7" + plain(1, 1, 2, 3)]
    out["m"] = [plain(4, 1, 0, 2, 1, 1) + varint(0) + texts(*[b"k"] * 5) + varint(1) + b"\1\x1e" +
                plain(1, 1, 2, 3, 4)]
    return out


def mutate(r, pool, data):
    data = bytearray(data)
    for _ in range(r.choice((0, 1, 1, 1, 2, 3))):
        kind, at = r.randrange(7), r.randrange(len(data) + 1)
        other = r.choice(pool[r.choice(list(pool))])
        if kind == 0 and at < len(data):
            data[at] ^= 1 << r.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = r.choice((*range(20), 127, 128, 255))
        elif kind == 2:
            del data[at:at + 1]
        elif kind == 3:
            data.insert(at, r.choice((0, 1, 2, 5, 18, 19, 255)))
        elif kind == 4:
            del data[at:]
        elif kind == 5:
            data[at:] = other[r.randrange(len(other)):]
        else:
            data[at:at] = other
    return bytes(data)


def mutated(r, pool):
    """A file of many groups, in each of which one column is not as it should be."""
    f = Forge(b"CREATE TABLE t (%s) ENGINE = MergeTree;" % ", ".join(
        f"{name} {kind}" for name, kind in TYPES.items()).encode())
    while len(f.commits) < GROUPS:
        name, nulls = r.choice(list(TYPES)), 0
        data = mutate(r, pool, r.choice(pool[name]))
        if r.random() < .15:
            nulls, data = r.choice((0, 1, 2, 3)), r.choice(LACKING) + data
        if data:
            f.group(N, [(nulls, data) if c == name else None for c in TYPES] +
                    [None, (0, plain(8, *[CREATED] * N))], packed=r.random() < .5)
            f.commit()
    return bytes(f.data)


def duel(path, name):
    """Do they agree on the file? None where one of them has not the memory for it."""
    ours, other = mine(path), theirs(path)
    if ours is None or other[1] == 4:
        return None
    if comparable(ours[0]) == comparable(other[0]) and ours[1] == other[1]:
        return True
    with open(path, "rb") as f, open(name, "wb") as out:
        out.write(f.read())
    print(f"FAIL {name}: exit status {other[1]} and {ours[1]}, rows {other[0].count(10)} and "
          f"{ours[0].count(10)}\n  evcat: {other[2][-400:]}\n  reader.py: {ours[2][-400:]}")
    return False


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else None
    seed = sys.argv[2] if len(sys.argv) > 2 else "0" if seconds is None else str(time.time())
    r, pool = random.Random(seed), pools()
    golden = []
    for path in sorted(glob.glob(f"{ROOT}/corpus/good/*.evs")):
        with open(path, "rb") as f:
            golden.append(f.read())
    spec_column.OWN_LIMIT = 1 << 22
    spec_schema.quote = quote_anything
    passed = failed = files = 0
    end = time.monotonic() + (seconds or 0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "duel.evs")
        while failed < 10 and (files < FILES if seconds is None else time.monotonic() < end):
            files += 1
            damaged = r.random() < .5
            with open(path, "wb") as f:
                f.write(damage(r, r.choice(golden)) if damaged else mutated(r, pool))
            agreed = duel(path, f"duel-{seed}-{failed}.evs")
            passed += (1 if damaged else GROUPS) if agreed else 0
            failed += agreed is False
    print(f"{files} files")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
