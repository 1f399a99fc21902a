"""What was done to a folder: its first tree, then changes, syncs and acknowledgements in order.

Calls (record.py) are played on a tree of our own, descriptors and offsets included, so that each
change is known by the file it is made to, however it is named at that moment. What a power cut
leaves of the changes is in states.py.
"""

import re

import record

ROOT = 0


class Op:
    """A change, a sync or an acknowledgement. `ino`: the file, or the folder whose names change."""

    def __init__(self, kind, ino=None, **more):
        self.kind, self.ino, self.begin, self.end = kind, ino, 0, 0
        self.inos = {ino}
        self.__dict__.update(more)

    def __repr__(self):
        hidden = ("kind", "begin", "end", "inos")
        return "%s(%s)" % (self.kind, ", ".join(
            "%s=%.60r" % x for x in self.__dict__.items() if x[0] not in hidden))


NAMES = ("link", "unlink", "rename")
DATA = ("write", "truncate")


class Tree:
    """Folders and files by number: the names in a folder, or bytes."""

    def __init__(self):
        self.names = {ROOT: {}}
        self.data = {}

    def copy(self):
        t = Tree()
        t.names = {k: dict(v) for k, v in self.names.items()}
        t.data = dict(self.data)
        return t

    def apply(self, op):
        if op.kind == "link":
            self.names[op.ino][op.name] = op.child
        elif op.kind == "unlink":
            if self.names[op.ino].get(op.name) == op.child:
                del self.names[op.ino][op.name]
        elif op.kind == "rename":
            if self.names[op.ino].get(op.name) == op.child:
                del self.names[op.ino][op.name]
            self.names[op.to][op.to_name] = op.child
        elif op.kind in DATA:
            self.data[op.ino] = changed(self.data[op.ino], op)

    def find(self, path):
        ino = ROOT
        for part in [p for p in path.split("/") if p and p != "."]:
            ino = self.names.get(ino, {}).get(part)
        return ino

    def files(self, ino=ROOT, prefix=""):
        """{path: bytes, or None for a folder}"""
        out = {}
        for name, child in self.names[ino].items():
            path = prefix + name
            if child in self.names:
                out[path] = None
                out.update(self.files(child, path + "/"))
            else:
                out[path] = self.data[child]
        return out


def changed(data, op):
    if op.kind == "truncate":
        return data[:op.size] + b"\0" * (op.size - len(data))
    data = data + b"\0" * (op.off - len(data))
    return data[:op.off] + op.data + data[op.off + len(op.data):]


class History:
    """A first tree, which is on disk, and all that was done to it since."""

    def __init__(self, files):
        self.first = Tree()
        self.next_ino = ROOT + 1
        self.ops = []
        for path, data in sorted(files.items()):
            folder, _, name = path.rpartition("/")
            self.first.names[self.first.find(folder)][name] = self.new(self.first, data)
        self.now = self.first.copy()

    def new(self, tree, data):
        ino = self.next_ino
        self.next_ino += 1
        if data is None:
            tree.names[ino] = {}
        else:
            tree.data[ino] = data
        return ino

    def add(self, op):
        self.now.apply(op)
        self.ops.append(op)

    def empty_tree(self):
        """The first tree, and all files made later, empty and without names."""
        tree = self.first.copy()
        for ino in self.now.names:
            tree.names.setdefault(ino, {})
        for ino in self.now.data:
            tree.data.setdefault(ino, b"")
        return tree

    def at(self, point):
        """The tree as programs see it after `point` operations."""
        tree = self.empty_tree()
        for op in self.ops[:point]:
            tree.apply(op)
        return tree

    def cut(self, point):
        """As if the program had been killed after `point` operations (the machine goes on)."""
        self.now = self.at(point)
        self.ops = self.ops[:point]

    def play(self, calls, cwd, run=0):
        """Add what a program did. `cwd`: where it ran, which is our root; `run`: its number."""
        Player(self, cwd, run).play(calls)


class Player:
    """Follows descriptors through the calls of one program.

    Effects count from the beginning of a call, syncs from its end, and only for what had ended when they began."""

    def __init__(self, history, cwd, run):
        self.h, self.cwd, self.run = history, str(cwd), run
        self.fds = {0: File(None), 1: File("stdout"), 2: File(None)}
        self.offset = max((op.end for op in history.ops), default=-1) + 1

    def play(self, calls):
        moments = [(c.begin, 0, c) for c in calls] + [(c.end, 1, c) for c in calls]
        for _, ended, call in sorted(moments, key=lambda m: m[:2]):
            if call.result < 0 and call.name != "exit_group":
                continue
            handler = getattr(self, ("end_" if ended else "begin_") + call.name, None)
            if handler:
                handler(call)

    def add(self, call, kind, ino, **more):
        op = Op(kind, ino, run=self.run, **more)
        op.begin, op.end = call.begin + self.offset, call.end + self.offset
        self.h.add(op)
        return op

    def path(self, arg, base=None):
        """(folder, name) of a path inside of our root, or None."""
        text = record.strings(arg).decode()
        at = ROOT
        if base and not base.startswith("AT_FDCWD") and not text.startswith("/"):
            at = self.fds[int(base)].ino
            if at not in self.h.now.names:
                return None
        if text.startswith("/"):
            if not text.startswith(self.cwd + "/"):
                return None
            text = text[len(self.cwd):]
        parts = [p for p in text.split("/") if p and p != "."]
        if ".." in parts:
            raise record.Unknown("a path with ..: %s" % text)
        for part in parts[:-1]:
            at = self.h.now.names.get(at, {}).get(part)
        return at, parts[-1] if parts else None

    def lookup(self, place):
        if place is None:
            return None
        folder, name = place
        return folder if name is None else self.h.now.names.get(folder, {}).get(name)

    # ---- opening

    def begin_open(self, call):
        self.create(call, self.path(call.args[0]), call.args[1])

    def begin_openat(self, call):
        self.create(call, self.path(call.args[1], call.args[0]), call.args[2])

    def create(self, call, place, flags):
        if place is None or "O_TMPFILE" in flags:
            return
        ino = self.lookup(place)
        if ino is None and "O_CREAT" in flags:
            ino = self.h.new(self.h.now, b"")
            self.add(call, "link", place[0], name=place[1], child=ino)
        elif ino is not None and "O_TRUNC" in flags:
            self.add(call, "truncate", ino, size=0)

    def end_open(self, call):
        self.register(call, self.path(call.args[0]), call.args[1])

    def end_openat(self, call):
        self.register(call, self.path(call.args[1], call.args[0]), call.args[2])

    def register(self, call, place, flags):
        ino = None if "O_TMPFILE" in flags else self.lookup(place)
        self.fds[call.result] = File(ino, "O_APPEND" in flags)

    def begin_close(self, call):
        self.fds.pop(int(call.args[0]), None)

    def end_dup(self, call):
        self.fds[call.result] = self.fds[int(call.args[0])]

    end_dup2 = end_dup3 = end_dup

    def end_fcntl(self, call):
        if call.args[1].startswith("F_DUPFD"):
            self.end_dup(call)
        elif call.args[1] == "F_SETFL" and self.inside(call.args[0]):
            raise record.Unknown("flags of an open file change: %r" % call)

    def end_pipe2(self, call):
        for fd in re.findall(r"\d+", call.args[0]):
            self.fds[int(fd)] = File(None)

    end_pipe = end_pipe2

    def begin_mmap(self, call):
        if int(call.args[4]) >= 0 and self.inside(call.args[4]) and "MAP_SHARED" in call.args[3] \
                and "PROT_WRITE" in call.args[2]:
            raise record.Unknown("a file is written through a mapping: %r" % call)

    def begin_ioctl(self, call):
        if self.inside(call.args[0]):
            raise record.Unknown("ioctl on a file: %r" % call)

    def begin_clone(self, call):
        if "CLONE_THREAD" not in " ".join(call.args):
            raise record.Unknown("another process: %r" % call)

    begin_clone3 = begin_clone

    def inside(self, fd):
        return isinstance(self.fds[int(fd)].ino, int)

    def end_lseek(self, call):
        self.fds[int(call.args[0])].pos = call.result

    # ---- data

    def put(self, call, fd, data, off=None):
        f = self.fds[int(fd)]
        if f.ino == "stdout":
            self.add(call, "ack", None, data=data)
        elif f.ino is not None:
            if off is None:
                off = len(self.h.now.data[f.ino]) if f.append else f.pos
                f.pos = off + len(data)
            self.add(call, "write", f.ino, off=off, data=data)

    def begin_write(self, call):
        self.put(call, call.args[0], record.strings(call.args[1])[:call.result])

    begin_writev = begin_write

    def begin_pwrite64(self, call):
        self.put(call, call.args[0], record.strings(call.args[1])[:call.result], int(call.args[3]))

    begin_pwritev = begin_pwritev2 = begin_pwrite64

    def begin_ftruncate(self, call):
        f = self.fds[int(call.args[0])]
        if f.ino is not None:
            self.add(call, "truncate", f.ino, size=int(call.args[1]))

    def begin_truncate(self, call):
        ino = self.lookup(self.path(call.args[0]))
        if ino is not None:
            self.add(call, "truncate", ino, size=int(call.args[1]))

    def begin_fallocate(self, call):
        f, size = self.fds[int(call.args[0])], int(call.args[2]) + int(call.args[3])
        if call.args[1] != "0" and f.ino is not None:
            raise record.Unknown("fallocate that does more than reserve: %r" % call)
        if f.ino is not None and size > len(self.h.now.data[f.ino]):
            self.add(call, "truncate", f.ino, size=size)

    def begin_copy_file_range(self, call):
        self.copy(call, call.args[0], call.args[1], call.args[2], call.args[3])

    def begin_sendfile(self, call):
        self.copy(call, call.args[1], call.args[2], call.args[0], "NULL")

    def copy(self, call, src, src_off, dst, dst_off):
        f, g = self.fds[int(src)], self.fds[int(dst)]
        if g.ino is None:
            return
        if f.ino is None:
            raise record.Unknown("a copy from a file that the model does not hold: %r" % call)
        at = f.pos if src_off == "NULL" else int(src_off.strip("[]"))
        f.pos += call.result if src_off == "NULL" else 0
        self.put(call, dst, self.h.now.data[f.ino][at:at + call.result],
                 None if dst_off == "NULL" else int(dst_off.strip("[]")))

    # ---- names

    def begin_mkdir(self, call):
        self.mkdir(call, self.path(call.args[0]))

    def begin_mkdirat(self, call):
        self.mkdir(call, self.path(call.args[1], call.args[0]))

    def mkdir(self, call, place):
        if place is not None:
            self.add(call, "link", place[0], name=place[1], child=self.h.new(self.h.now, None))

    def begin_unlink(self, call):
        self.unlink(call, self.path(call.args[0]))

    begin_rmdir = begin_unlink

    def begin_unlinkat(self, call):
        self.unlink(call, self.path(call.args[1], call.args[0]))

    def unlink(self, call, place):
        if place is not None:
            self.add(call, "unlink", place[0], name=place[1], child=self.lookup(place))

    def begin_rename(self, call):
        self.rename(call, self.path(call.args[0]), self.path(call.args[1]))

    def begin_renameat(self, call):
        self.rename(call, self.path(call.args[1], call.args[0]),
                    self.path(call.args[3], call.args[2]))

    def begin_renameat2(self, call):
        if call.args[4] not in ("0", "RENAME_NOREPLACE"):
            raise record.Unknown("an unusual rename: %r" % call)
        self.begin_renameat(call)

    def rename(self, call, src, dst):
        if src is None and dst is None:
            return
        if src is None or dst is None:
            raise record.Unknown("a rename out of the store or into it: %r" % call)
        op = self.add(call, "rename", src[0], name=src[1], child=self.lookup(src), to=dst[0],
                      to_name=dst[1])
        op.inos = {src[0], dst[0]}

    def begin_link(self, call):
        self.hardlink(call, self.path(call.args[0]), self.path(call.args[1]))

    def begin_linkat(self, call):
        self.hardlink(call, self.path(call.args[1], call.args[0]),
                      self.path(call.args[3], call.args[2]))

    def hardlink(self, call, src, dst):
        if self.lookup(src) is None:
            raise record.Unknown("a link to what the model does not hold: %r" % call)
        self.add(call, "link", dst[0], name=dst[1], child=self.lookup(src))

    # ---- syncs and the end

    def end_fsync(self, call):
        ino = self.fds[int(call.args[0])].ino
        if isinstance(ino, int):
            self.add(call, "sync", ino)

    end_fdatasync = end_fsync

    def end_sync(self, call):
        self.add(call, "sync", None)

    end_syncfs = end_sync

    def begin_exit_group(self, call):
        self.add(call, "exit", None, status=int(call.args[0]))


class File:
    """An open file: which, and where."""

    def __init__(self, ino, append=False):
        self.ino, self.append, self.pos = ino, append, 0
