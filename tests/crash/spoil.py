"""Records spoiled on purpose, as if a program had forgotten a sync, or acknowledged too early.

check.py must notice each of them.
"""

import copy


def spoiled(history, change):
    h = copy.deepcopy(history)
    h.ops = change(h, h.ops)
    for i, op in enumerate(h.ops):
        op.begin = op.end = i
    return h


def name_of(h, ino):
    """The names that a file ever had."""
    return [op.to_name if op.kind == "rename" else op.name for op in h.ops
            if op.kind in ("link", "rename") and op.child == ino] + \
        [n for names in h.first.names.values() for n, child in names.items() if child == ino]


def is_segment(h, ino):
    return any(n.endswith(".evs") for n in name_of(h, ino))


def no_data_sync(h, ops):
    return [op for op in ops if not (op.kind == "sync" and is_segment(h, op.ino))]


def no_folder_sync(h, ops):
    return [op for op in ops if not (op.kind == "sync" and op.ino in h.now.names)]


def no_schema_sync(h, ops):
    return [op for op in ops if not (op.kind == "sync" and "schema.sql" in name_of(h, op.ino))]


def rename_first(h, ops):
    """The rename of a new segment comes before its sync."""
    out = list(ops)
    for op in ops:
        if op.kind == "rename" and op.to_name.endswith(".evs"):
            at = next(i for i, o in enumerate(out) if o.kind == "sync" and o.ino == op.child)
            out.remove(op)
            out.insert(at, op)
    return out


def ack_first(h, ops):
    """The acknowledgement comes before the sync of the data."""
    out = list(ops)
    for op in [o for o in ops if o.kind == "ack"]:
        at = max(i for i, o in enumerate(out[:out.index(op)]) if o.kind == "sync"
                 and o.ino in h.now.data)
        out.remove(op)
        out.insert(at, op)
    return out


def cut_first(h, ops):
    """The tail is cut off before the copy of it is written."""
    cut = next(op for op in ops if op.kind == "truncate" and is_segment(h, op.ino))
    out = [op for op in ops if op is not cut]
    at = next(i for i, op in enumerate(out) if op.kind == "link" and ".tail-" in op.name)
    return out[:at] + [cut] + out[at:]


def tail_unsynced(h, ops):
    return [op for op in ops if not (op.kind == "sync" and any(
        ".tail-" in n for n in name_of(h, op.ino)))]


def rejects_unsynced(h, ops):
    return [op for op in ops if not (op.kind == "sync" and "rejects.ndjson" in name_of(h, op.ino))]


def metrics_unsynced(h, ops):
    return [op for op in ops if not (op.kind == "sync" and "m.prom" in name_of(h, op.ino))]


def ledger_unsynced(h, ops):
    return [op for op in ops if not (op.kind == "sync" and "expired.ndjson" in name_of(h, op.ino))]


def leaves_unsynced(h, ops):
    """Folders of tenants are not synced when a segment has left."""
    left = {op.ino for op in ops if op.kind == "rename" and op.to_name.endswith(".expired")}
    return [op for op in ops if not (op.kind == "sync" and op.ino in left)]


def leaves_first(h, ops):
    """A segment leaves before the ledger says so."""
    out = list(ops)
    for op in ops:
        if op.kind == "rename" and op.to_name.endswith(".expired"):
            out.remove(op)
            out.insert(0, op)
    return out


WAYS = [
    ("no fdatasync of a new segment", "one segment", no_data_sync),
    ("no fsync of folders", "one segment", no_folder_sync),
    ("rename before the fdatasync", "one segment", rename_first),
    ("no fdatasync of an append", "second append", no_data_sync),
    ("acknowledged before the fdatasync", "second append", ack_first),
    ("cut before the tail is copied", "recovery of a tail", cut_first),
    ("no sync of the tail's copy", "recovery of a tail", tail_unsynced),
    ("no fdatasync of rejects", "rejects", rejects_unsynced),
    ("no fdatasync of schema.sql", "schema changed", no_schema_sync),
    ("no fdatasync of what is saved", "what can be read is saved", no_data_sync),
    ("no fdatasync of metrics", "metrics are replaced", metrics_unsynced),
    ("no fdatasync of the ledger", "partitions expire", ledger_unsynced),
    ("no fsync of the folder that a segment left", "partitions expire", leaves_unsynced),
    ("a segment leaves before its line is written", "partitions expire", leaves_first),
]
