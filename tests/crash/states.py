"""What a file system may hold after a power cut. Assumed of it is this, and no more:

- A file's content, or the names in a folder, are on disk for good when fsync (or fdatasync) of it
  has returned, as far as they were changed by calls that had returned when it was called. A file
  that was synced may still lack its name; a name may be there whose file's bytes are not.
- Before that each sector of 512 bytes of each write is on disk or is not, in any combination. In
  place of what is not stands what was there before, or zeros where the file was shorter. No
  sector is half written.
- The size is any that the file had since its last sync, or what the sectors on disk need.
- Each new, removed or changed name is on disk or is not, in any combination. A rename is one
  change.

So no write is taken to be seen before a later one, no name to be there because its file was
synced, and no two folders to be in step. What is assumed beyond POSIX: bytes of other files do
not show up (ext4 with data=writeback may show them; they would be taken for damage, not for a
torn write).
"""

import hashlib
from typing import NamedTuple

from disk import DATA, NAMES

SECTOR = 512
BLOCK = 4096
MANY = 256  # sectors of one file, beyond which only some of them are tried one by one


class State(NamedTuple):
    """Which of the pending changes a power cut after `point` operations left."""
    point: int
    names: frozenset  # numbers of the operations
    data: tuple  # of (file, frozenset of pieces, size or None)


class Disk:
    """Builds the states of one history."""

    def __init__(self, history):
        self.h = history
        self.made = {}  # contents by file and pieces
        self.known = {}  # what is durable, by point

    def durable(self, point):
        """Numbers of the changes that are on disk for good, and of those that are not."""
        if point in self.known:
            return self.known[point]
        missing = {i: set(op.inos) for i, op in enumerate(self.h.ops[:point])
                   if op.kind in NAMES + DATA}
        for at, sync in enumerate(self.h.ops[:point]):
            if sync.kind != "sync":
                continue
            for i, inos in missing.items():
                if i < at and self.h.ops[i].end < sync.begin:
                    inos.difference_update(inos if sync.ino is None else {sync.ino})
        sure = frozenset(i for i, inos in missing.items() if not inos)
        self.known[point] = sure, [i for i in missing if i not in sure]
        return self.known[point]

    def pieces(self, i):
        """A write is made of sectors; anything else is one piece."""
        op = self.h.ops[i]
        if op.kind != "write":
            return [(i, 0)]
        return [(i, k) for k in range(op.off // SECTOR, (op.off + len(op.data) - 1) // SECTOR + 1)]

    def content(self, ino, sure, kept, size):
        """The bytes of a file of which the changes `sure` and the pieces `kept` are on disk."""
        key = ino, sure, kept, size
        if key in self.made:
            return self.made[key]
        data = bytearray(self.h.first.data.get(ino, b""))
        for i, op in enumerate(self.h.ops):
            if op.ino != ino or op.kind not in DATA:
                continue
            if op.kind == "truncate":
                if i in sure or (i, 0) in kept:
                    resize(data, op.size)
            elif i in sure:
                put(data, op, op.off, op.off + len(op.data))
            else:
                for _, k in [p for p in self.pieces(i) if p in kept]:
                    put(data, op, max(k * SECTOR, op.off),
                        min(k * SECTOR + SECTOR, op.off + len(op.data)))
        if size is not None:
            resize(data, size)
        self.made[key] = bytes(data)
        return self.made[key]

    def build(self, state):
        """{path: bytes, or None for a folder}"""
        sure, pending = self.durable(state.point)
        tree = self.h.empty_tree()
        for i, op in enumerate(self.h.ops[:state.point]):
            if op.kind in NAMES and (i in sure or i in state.names):
                tree.apply(op)
        chosen = {ino: (kept, size) for ino, kept, size in state.data}
        for ino in tree.data:
            of_ino = frozenset(i for i in sure if self.h.ops[i].ino == ino)
            kept, size = chosen.get(ino, (frozenset(), None))
            tree.data[ino] = self.content(ino, of_ino, kept, size)
        return tree.files()

    # ---- which states there are

    def pending_at(self, point):
        """Pending changes of names, and pending pieces and possible sizes by file."""
        _, pending = self.durable(point)
        names = [i for i in pending if self.h.ops[i].kind in NAMES]
        files = {}
        for i in pending:
            if self.h.ops[i].kind in DATA:
                files.setdefault(self.h.ops[i].ino, []).extend(self.pieces(i))
        return names, files

    def sizes(self, ino, point):
        """Sizes that the file had since its last sync."""
        sure, _ = self.durable(point)
        size = len(self.h.first.data.get(ino, b""))
        out = {size}
        for i, op in enumerate(self.h.ops[:point]):
            if op.ino == ino and op.kind in DATA:
                size = op.size if op.kind == "truncate" else max(size, op.off + len(op.data))
                out = {size} if i in sure else out | {size}
        return sorted(out), size

    def each(self, point):
        """The states listed in docs/reliability.md, of a power cut after `point` operations."""
        names, files = self.pending_at(point)
        all_names, no_names = frozenset(names), frozenset()
        everything = {ino: (frozenset(p), self.sizes(ino, point)[1]) for ino, p in files.items()}
        for kept in name_choices(names):
            yield State(point, kept, pack(everything))
            yield State(point, kept, ())
        for ino, pieces in files.items():
            for choice in self.file_choices(ino, pieces, point):
                alone = {ino: choice}
                for kept in {all_names, no_names}:
                    yield State(point, kept, pack(alone))
                    yield State(point, kept, pack({**everything, **alone}))

    def file_choices(self, ino, pieces, point):
        """(pieces, size) of one file."""
        sizes, full = self.sizes(ino, point)
        whole = frozenset(pieces)
        for kept in sector_choices(pieces) | self.write_choices(pieces):
            yield kept, None
            yield kept, full
        for size in sizes:
            yield whole, size
            yield frozenset(), size

    def write_choices(self, pieces):
        """Whole writes there or not: each missing, each alone, the first ones, the last ones."""
        writes = sorted({i for i, _ in pieces})
        out = set()
        for n in range(len(writes)):
            for some in (writes[:n], writes[n:], writes[n:n + 1], writes[:n] + writes[n + 1:]):
                out.add(frozenset(p for p in pieces if p[0] in some))
        return out

    def random(self, rng):
        """Any combination at all."""
        point = rng.randrange(len(self.h.ops) + 1)
        names, files = self.pending_at(point)
        data = {}
        for ino, pieces in files.items():
            share = rng.choice([0, 0.1, 0.5, 0.9, 0.98, 1])
            sizes, _ = self.sizes(ino, point)
            kept = frozenset(p for p in pieces if rng.random() < share)
            data[ino] = kept, rng.choice([None, *sizes, sizes[-1]])
        share = rng.choice([0, 0.3, 0.7, 1])
        return State(point, frozenset(i for i in names if rng.random() < share), pack(data))


def pack(chosen):
    return tuple(sorted(((ino, kept, size) for ino, (kept, size) in chosen.items()),
                        key=lambda c: c[0]))


def resize(data, size):
    if size < len(data):
        del data[size:]
    else:
        data.extend(bytes(size - len(data)))


def put(data, op, lo, hi):
    if len(data) < lo:
        resize(data, lo)
    data[lo:hi] = op.data[lo - op.off:hi - op.off]


def name_choices(names):
    """All combinations of few; of many all, none, each missing or alone, first and last ones."""
    if len(names) <= 4:
        return {frozenset(n for k, n in enumerate(names) if bits >> k & 1)
                for bits in range(1 << len(names))}
    out = {frozenset(), frozenset(names)}
    for k in range(len(names)):
        for some in (names[:k], names[k:], names[k:k + 1], names[:k] + names[k + 1:]):
            out.add(frozenset(some))
    return out


def sector_choices(pieces):
    """Torn at each sector, beginning or end missing; each sector or 4-KiB block missing or
    alone."""
    out = {frozenset(pieces), frozenset(), frozenset(pieces[::2]), frozenset(pieces[1::2])}
    step = max(1, len(pieces) // MANY)
    for k in range(0, len(pieces), step):
        for some in (pieces[:k], pieces[k:], pieces[k:k + 1], pieces[:k] + pieces[k + 1:]):
            out.add(frozenset(some))
    for block in {k * SECTOR // BLOCK for _, k in pieces}:
        inside = frozenset(p for p in pieces if p[1] * SECTOR // BLOCK == block)
        out |= {inside, frozenset(pieces) - inside}
    return out


def digest(files):
    h = hashlib.blake2b(digest_size=16)
    for path, data in sorted(files.items()):
        h.update(b"%d %b %d " % (len(path), path.encode(), -1 if data is None else len(data)))
        h.update(data or b"")
    return h.digest()
