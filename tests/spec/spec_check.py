"""What a reader need not look at and a checker should: every frame and padding of the log, the
writer's duties, zones and time bounds against the rows. Works on a Segment whose groups have been
decoded (`values`).
"""

import re
import struct

import spec_frames as fr
from spec_bytes import blake2b
from spec_column import Broken, need, signed

UNSIGNED = ("UINT", "BOOL", "IPV4")


def check(segment):
    if not segment.newest:
        return
    for part in (hashes, frames, places, sources, zones, filters, rollups, bounds):
        try:
            part(segment)
        except Broken as e:
            segment.fault(segment.newest.commit_off, f"check: {e}")


def hashes(segment):
    for g in segment.groups:
        need(not g.ref or blake2b(segment.data[g.off:g.frame.end]) == g.ref.hash, "7.2-7",
             f"hash of the group at {g.off}")


def frames(segment):
    """The log has no gaps, and every frame in it is one that counts."""
    at, named = segment.log, {ref.off for c in segment.commits for ref in c.groups}
    commits = {c.off: c for c in segment.commits}
    since, index = 0, (0, 0)
    while at < segment.newest.end:
        f = fr.frame_head(segment.data, at, segment.salt, segment.newest.end)
        segment.verify(f)
        refuse = f.type in (fr.GROUP, fr.SCHEMA, fr.DICT)
        need(f.flags == refuse, "3.1-C1", f"flags {f.flags} of a frame of type {f.type}")
        if f.type == fr.DICT:
            try:
                fr.dictionary(fr.payload(segment.data, f))
            except Broken as e:
                segment.fault(at, f"5.5-C1 {e}")
        if f.type == fr.GROUP:
            need(at in named, "7.2-W1", f"group at {at} that no commit names")
        elif f.type == fr.INDEX:
            since, index = 0, (at, f.span)
        elif f.type == fr.COMMIT:
            need(at in commits, "9-8", f"commit at {at} that does not count")
            since += 1
            need(since <= 64, "7.1-W1", "no INDEX although it was due")
            c = commits[at]
            need((c.since_index, c.index_off, c.index_len) == (since, *index), "7.1-13",
                 "since_index")
        at = f.end
    need(at == segment.newest.end, "3.1-14", "the log does not end with the newest commit")


def places(segment):
    """What a commit says of the frames it names."""
    for before, c in zip(segment.commits, segment.commits[1:]):
        need(c.prev_len == fr.frame_head(segment.data, before.off, segment.salt).span, "7.1-C2",
             "prev_len")
    for c in segment.commits:
        if c.index_off:
            need(c.index_len == fr.frame_head(segment.data, c.index_off, segment.salt).span,
                 "7.1-C2", "index_len")
        try:
            segment.schema(c.schema_off)
        except Broken as e:
            raise Broken("7.1-C3", f"schema_off: {e}") from e


def sources(segment):
    """Sources go forwards, and an INDEX has all of them."""
    known, at, commits = {}, segment.log, {c.off: c for c in segment.commits}
    while at < segment.newest.end:
        f = fr.frame_head(segment.data, at, segment.salt, segment.newest.end)
        if f.type == fr.INDEX:
            named = {
                i: off
                for i, off in fr.index(fr.payload(segment.data, f), at).sources.items() if off
            }
            need(named == {i: off
                           for i, off in known.items() if off}, "7.6-C2", "sources of an INDEX")
        for name, off in commits[at].sources.items() if at in commits else ():
            need(off >= known.get(name, 0), "7.6-C1", f"source {name}")
            known[name] = off
        at = f.end


def ordered(v, kind):
    """A value as zones compare it, and its bytes there."""
    name = kind[0]
    if name == "FLOAT":
        form = "<f" if kind[1] == 4 else "<d"
        value = struct.unpack(form, v.to_bytes(kind[1], "little"))[0]
        return value, struct.pack("<d", value)
    if isinstance(v, bytes):
        return v, v
    if name in UNSIGNED:
        return v, v.to_bytes(8, "little")
    width = {"INT": kind[-1], "DATE": 4, "ENUM": 2}.get(name, 8)
    return signed(v, width), signed(v, width).to_bytes(8, "little", signed=True)


def zones(segment):
    for g in segment.groups:
        if not g.commit or not hasattr(g, "values"):
            continue
        columns = list(g.values.values())
        for z in (z for z in g.commit.zones if z.group == g.ordinal):
            need(z.column < len(columns), "7.5-C3", "zone of a column that is not there")
            kind, rows = columns[z.column]
            need(kind[0] not in ("ARRAY", "MAP"), "7.5-C3", "zone of a list or map")
            present = [ordered(v, kind) for v in rows if v is not None]
            need(z.nulls == len(rows) - len(present), "7.5-C1",
                 f"nulls of zone {z.group}, {z.column}")
            need(present or z.min is None and z.max is None, "7.5-C2", "zone of nulls with a value")
            if present:
                bound(z, kind, min(present), max(present))


def bound(z, kind, low, high):
    where = f"zone {z.group}, {z.column}"
    floats = kind[0] == "FLOAT"
    for value, cut, want, better in ((z.min, z.flags & 4, low, -1), (z.max, z.flags & 8, high, 1)):
        if value is None:
            continue
        if cut:
            need(len(want[1]) > 32 and len(value) <= 32, "7.5-C2", f"{where} is cut without need")
            need((value > want[0]) if better > 0 else value == want[1][:32], "7.5-C2",
                 f"{where}: cut value")
        elif floats:
            need(struct.unpack("<d", value)[0] == want[0], "7.5-C2",
                 f"{where}: {value} is not {want[0]}")
        else:
            need(value == want[1], "7.5-C2", f"{where}: {value} is not {want[1]}")


def filters(segment):
    """Every value of a column is in its filter; the hash is that of the FILTER frames."""
    for c in segment.commits:
        if not c.filters:
            continue
        frames = [fr.frame_head(segment.data, f.off, segment.salt, c.off) for f in c.filters]
        need(all(f.type == fr.FILTER for f in frames), "7.8-2", "no FILTER frame")
        need(
            blake2b(b"".join(segment.data[f.off:f.end]
                             for f in sorted(frames, key=lambda f: f.off))) == c.filters_hash,
            "7.9-C1", "hash of the filters")
        for ref, f in zip(c.filters, frames):
            blocks = fr.filter_blocks(fr.payload(segment.data, f))
            ends = [g.off for g in c.groups[ref.group:ref.group + 2]] + [c.off]
            need(ends[0] < ref.off < ends[1], "7.9-C2",
                 "a filter that does not stand behind its group")
            for g in (g for g in segment.groups if g.commit is c and g.ordinal == ref.group):
                need(ref.column < len(g.values), "7.9-C3", "filter of a column that is not there")
                kind, rows = list(g.values.values())[ref.column]
                need(
                    all(
                        fr.filter_holds(blocks,
                                        ordered(v, kind)[1]) for v in rows if v is not None),
                    "7.8-C1", f"a value of column {ref.column} is not in its filter")


def rollups(segment):
    """The frames are whole groups of the number that is said; what is in them is the view's
    affair."""
    for c in segment.commits:
        if not c.rollups:
            continue
        frames = [fr.frame_head(segment.data, r.off, segment.salt, c.off) for r in c.rollups]
        need(all(f.type == fr.ROLLUP for f in frames), "5.6-1", "no ROLLUP frame")
        need(
            blake2b(b"".join(segment.data[f.off:f.end]
                             for f in sorted(frames, key=lambda f: f.off))) == c.rollups_hash,
            "7.10-C1", "hash of the rollups")
        for ref, f in zip(c.rollups, frames):
            p = fr.payload(segment.data, f)
            need(f.summed_len == f.payload_len, "5.6", "a rollup is summed as a whole")
            need(struct.unpack("<I", p[16:20])[0] == ref.groups, "5.6-1", "groups of a rollup")


LAST = (1 << 63) - 1


def clamp(time):
    return max(min(time, LAST), -LAST)


def nanoseconds(v, kind):
    scale = 86400 * 10 ** 9 if kind[0] == "DATE" else 10 ** (9 - kind[1])
    return clamp(signed(v, 4 if kind[0] == "DATE" else 8) * scale)


def time_column(text, names):
    """The column that PARTITION BY names last, if it can be told so simply."""
    clause = re.search(rb"PARTITION\s+BY(.*?)(ORDER\s+BY|PRIMARY|TTL|SETTINGS|;|$)", text,
                       re.S | re.I)
    words = re.findall(r"\w+", clause.group(1).decode()) if clause else []
    return next((w for w in reversed(words) if w in names), "_time")


def bounds(segment):
    """Time bounds of groups and commits. A time that is kept as a number or a text is passed
    over."""
    for g in segment.groups:
        if not g.commit or not hasattr(g, "values"):
            continue
        kind, rows = g.values.get(time_column(segment.schema(g.schema_off), g.values),
                                  (("NONE",), []))
        if kind[0] in ("TIME", "DATE"):
            times = [nanoseconds(v, kind) for v in rows if v is not None] or [fr.NO_TIME]
            need((g.ref.time_min, g.ref.time_max) == (min(times), max(times)), "7.2-C3",
                 f"time bounds of the group at {g.off}")
    for c in segment.commits:
        times = [(r.time_min, r.time_max) for r in c.groups if r.time_min != fr.NO_TIME]
        times = times or [(fr.NO_TIME, fr.NO_TIME)]
        want = min(t[0] for t in times), max(t[1] for t in times)
        need((c.time_min, c.time_max) == want, "7.1-C1", f"time bounds of the commit at {c.off}")
        if c.time_min != fr.NO_TIME:
            lo, hi = clamp(segment.head.part_lo * 10 ** 9), clamp(segment.head.part_hi * 10 ** 9)
            need(lo <= c.time_min and (c.time_max < hi or abs(hi) == LAST), "4.1-C2",
                 "rows outside the partition")
