"""Sections 3, 4, 5, 7 and 8 of spec/segment.md: frames and what is in them.

Each function takes bytes and gives a plain object, or raises Broken with the number of the rule.
What these pieces mean together (sections 2 and 9) is in spec_segment.py.
"""

from types import SimpleNamespace
import struct

from spec_bytes import NotZstd, blake2b, unzstd, xxh3, zstd_size
from spec_column import Broken, Cursor, column, know, need

HEAD, GROUP, COMMIT, INDEX, SCHEMA, DICT, ROLLUP, FILTER = range(1, 9)
NO_TIME = -1 << 63
MAGIC = b"\x89EVS"

class Layout:
    """A byte table: fields with a name and a format of the struct module each, without gaps."""

    def __init__(self, fields):
        self.names, forms = zip(*(f.split(":") for f in fields.split()))
        self.struct = struct.Struct("<" + "".join(forms))
        self.size, self.pack = self.struct.size, self.struct.pack
        self.sizes = [struct.calcsize("<" + form) for form in forms]

    def unpack(self, data):
        return SimpleNamespace(**dict(zip(self.names, self.struct.unpack(data[:self.size]))))

    def table(self):
        """[(offset, size, field)]"""
        return [(sum(self.sizes[:i]), n, name)
                for i, (n, name) in enumerate(zip(self.sizes, self.names))]


# tests/spec/run compares them with the tables of the specification, field by field.
FRAME = Layout("magic:4s type:B flags:B reserved:2s payload_len:Q summed_len:I append:I "
               "payload_sum:Q head_sum:Q")
HEAD_FIXED = Layout(
    "major:H minor:H unit:B suite:B reserved:2s refuse_features:Q ignore_features:Q "
    "segment_id:16s salt:Q created:q part_lo:q part_hi:q stream_len:H tenant_len:H "
    "suite_len:I schema_len:I schema_stored_len:I")
GROUP_FIXED = Layout("schema_off:Q first_row:Q rows:I columns:H blocks:H flags:I reserved:4s")
BLOCK = Layout("column:H codec:B flags:B stored_len:I raw_len:I nulls:I sum:Q")
BLOCK_DICT = Layout("off:Q copy:Q hash:32s")
COMMIT_FIXED = Layout("seq:Q written:q rows:Q rows_total:Q first_group:Q prev_off:Q prev_len:Q "
                      "index_off:Q index_len:Q schema_off:Q time_min:q time_max:q since_index:I "
                      "flags:I prev_hash:32s hash:32s")
GROUP_REF = Layout("off:Q len:Q rows:I run:I mem_bytes:Q src_bytes:Q time_min:q time_max:q "
                   "hash:32s")
TRAILER = Layout("magic:4s copy:I commit_off:Q commit_len:Q seq:Q rows_total:Q first_group:Q "
                 "groups_rows:Q sum:Q")
SECTION = Layout("type:H flags:B reserved:B length:I")
INDEX_FIXED = Layout("seq:Q rows_total:Q prev_off:Q prev_len:Q last_commit_off:Q last_commit_len:Q "
                     "nrefs:I flags:I")
INDEX_REF = Layout("off:Q len:Q rows:Q time_min:q time_max:q level:I commits:I")
FILTER_REF = Layout("off:Q group:I column:H kind:H")
ROLLUP_REF = Layout("view:16s off:Q groups:I reserved:4s")
FOLDED = Layout("lineage:16s commits:Q rows:Q hash:32s made_for:16s level:B reserved:15s")


def zero(data):
    return not any(data)


# ---- 3 ------------------------------------------------------------------------------------------


def span(payload_len):
    return 40 + (payload_len + 7) // 8 * 8


def frame_head(data, off, salt, end=None):
    """The frame head at `off`. The frame must end at or before `end` (None: the file's)."""
    need(off % 8 == 0, "3.1-1", "offset is no multiple of 8")
    need(off + 40 <= len(data), "3.1-14", "frame runs past the end of the file")
    raw = data[off:off + 40]
    f = FRAME.unpack(raw)
    f.off = off
    f.salt = 0 if f.type == HEAD else salt
    need(f.magic == MAGIC, "3.1-2", "magic")
    need(f.head_sum == xxh3(raw[:32], f.salt ^ off), "3.1-3", "head_sum")
    know(not f.flags & 0xFC, "3.1-4", "frame flags")
    need(zero(f.reserved), "3.1-5", "reserved bytes")
    need(f.type, "3.1-6", "type 0")
    know(f.type <= 6 or not f.flags & 1, "3.1-7", f"frame type {f.type}")
    need(not f.flags & 2, "3.1-8", "sealed frame in suite 0")
    need(f.payload_len < 1 << 32, "3.1-9", "payload_len")
    need(f.summed_len <= min(f.payload_len, 1 << 28), "3.1-10", "summed_len")
    if f.type in (HEAD, INDEX, SCHEMA, DICT, FILTER):
        need(f.summed_len == f.payload_len, "3.1-11", "summed_len")
    if f.type == COMMIT:
        need(f.summed_len % 8 == 0 and f.summed_len + 128 == f.payload_len, "3.1-11", "summed_len")
    f.span = span(f.payload_len)
    f.notes = []  # damage on the way to its rows that costs none
    f.end = off + f.span
    need(f.end <= (len(data) if end is None else end), "3.1-14", "frame runs past its place")
    return f


def payload(data, f):
    """The summed part, verified."""
    summed = data[f.off + 40:f.off + 40 + f.summed_len]
    need(xxh3(summed, f.salt ^ f.off) == f.payload_sum, "3.1-12", "payload_sum")
    return summed


def padding(data, f):
    need(zero(data[f.off + 40 + f.payload_len:f.end]), "3.1-13", "padding")


# ---- 4 ------------------------------------------------------------------------------------------


def head(p):
    need(len(p) >= 88, "4.1-1", "payload shorter than 88 bytes")
    h = HEAD_FIXED.unpack(p[:88])
    know(h.major <= 1, "4.1-2", f"major version {h.major}")
    need(h.major, "4.1-12", "major version 0")
    know(not h.refuse_features, "4.1-3", f"refuse_features {h.refuse_features:#x}")
    know(h.suite == 0, "4.1-4", f"suite {h.suite}")  # a reader of 1.0 knows suite 0 only
    need(1 <= h.unit <= 3, "4.1-5", "unit")
    need(zero(h.reserved), "4.1-6", "reserved bytes")
    need(h.part_lo < h.part_hi, "4.1-7", "bounds of the partition")
    need(1 <= h.stream_len <= 255, "4.1-8", "stream_len")
    need(h.tenant_len <= 4096, "4.1-9", "tenant_len")
    need(h.suite_len == 0, "4.1-10", "suite data in suite 0")
    schema_lengths(h.schema_len, h.schema_stored_len)
    need(88 + h.stream_len + h.tenant_len + h.schema_stored_len == len(p), "4.1-11", "lengths")
    at = 88 + h.stream_len
    h.stream = p[88:at]
    h.tenant = p[at:at + h.tenant_len]
    h.schema = schema_text(p[at + h.tenant_len:], h.schema_len)
    return h


def schema_lengths(size, stored):
    need(size <= 1 << 24 and stored <= size, "4.2-1", "length of the schema")


def schema_text(stored, size):
    text = stored
    if len(stored) != size:
        try:
            text = unzstd(stored, size)
        except NotZstd:
            need(False, "4.2-2", "compressed schema")
    need(b"\0" not in text, "4.2-3", "zero byte in the schema")
    return text


def schema(p):
    need(len(p) >= 8, "4.3-1", "length of a SCHEMA")
    size, stored = struct.unpack("<II", p[:8])
    schema_lengths(size, stored)
    need(len(p) == 8 + stored, "4.3-1", "length of a SCHEMA")
    return schema_text(p[8:], size)


# ---- 5 ------------------------------------------------------------------------------------------


def group(p, f):
    """Fixed part and directory of the verified summed part `p` of frame `f`."""
    need(len(p) >= 32, "5.1-1", "summed part of a GROUP")
    g = GROUP_FIXED.unpack(p[:32])
    know(not g.flags & ~1, "5.1-2", "flags")
    need(zero(g.reserved), "5.1-3", "reserved bytes")
    need(1 <= g.rows <= 1 << 20, "5.1-4", "rows")
    need(1 <= g.columns <= 10000, "5.1-5", "columns")
    g.packed = bool(g.flags)
    need(g.blocks <= g.columns and (not g.packed or g.blocks == 1), "5.1-6", "blocks")
    need(len(p) == 32 + 24 * g.blocks, "5.1-7", "summed_len")
    need(g.schema_off % 8 == 0, "5.1-8", "schema_off")
    g.directory, at, last = [], len(p), -1
    for i in range(g.blocks):
        b = BLOCK.unpack(p[32 + 24 * i:56 + 24 * i])
        need(b.column == 0xFFFF if g.packed else last < b.column < g.columns, "5.2-1", "column")
        know(not b.flags, "5.2-2", "block flags")
        need(1 <= b.stored_len <= 1 << 30 and 1 <= b.raw_len <= 1 << 30 and
             (b.codec or b.raw_len == b.stored_len), "5.2-3", "lengths of a block")
        need(b.nulls < g.rows and not (g.packed and b.nulls), "5.2-4", "nulls of a block")
        need(b.codec != 2 or (not g.packed and b.stored_len > 48), "5.5-2",
             "block with a dictionary")
        b.at = at
        at += b.stored_len
        last = b.column
        g.directory.append(b)
    need(at == f.payload_len, "5.2-5", "blocks do not end where the payload ends")
    return g


def block_sum(data, f, b):
    """The stored bytes of a block, verified."""
    stored = data[f.off + 40 + b.at:f.off + 40 + b.at + b.stored_len]
    need(xxh3(stored, 0) == b.sum, "5.3-1", "sum of a block")
    return stored


def dictionary(p):
    """The content of a DICT frame."""
    size = zstd_size(p)
    need(size and 1 <= size <= 1 << 20, "5.5-1", "no dictionary in a DICT frame")
    try:
        return unzstd(p, size)
    except NotZstd:
        need(False, "5.5-1", "no dictionary in a DICT frame")


def dictionary_of(data, f, stored):
    """What stands in front of a block of group `f`."""
    ref = BLOCK_DICT.unpack(stored[:48])
    places = ref.off, ref.copy
    need(all(at % 8 == 0 and at < f.off for at in places) and ref.off != ref.copy, "5.5-3",
         "place of a dictionary")
    for at in places:
        try:
            frame = frame_head(data, at, f.salt)
            need(frame.type == DICT, "5.5-4", "no DICT frame")
            content = dictionary(payload(data, frame))
            need(blake2b(content) == ref.hash, "5.5-4", "another dictionary")
            return content
        except Broken as e:
            f.notes.append((at, f"5.5-4 {e}"))
    need(False, "5.5-5", "no sound dictionary")


def block(data, f, b):
    stored = block_sum(data, f, b)
    know(b.codec <= 2, "5.3-2", f"codec {b.codec}")
    if b.codec == 0:
        return stored
    prefix = b""
    if b.codec == 2:
        prefix = dictionary_of(data, f, stored)
        stored = stored[48:]
    try:
        return unzstd(stored, b.raw_len, prefix)
    except NotZstd as e:
        need(False, "5.3-3" if e.header else "5.3-4", "zstd block")


def group_columns(data, f, g, shapes):
    """What the columns hold: a list of rows each. A column without a shape is not wanted."""
    if g.packed:
        return packed_columns(block(data, f, g.directory[0]), g, shapes)
    out = [[None] * g.rows for _ in shapes]
    for b in g.directory:
        if not shapes[b.column]:
            continue
        cur = Cursor(block(data, f, b))
        out[b.column] = column(cur, shapes[b.column], g.rows, b.nulls)
        need(not cur.left(), "5.3-5", "bytes behind the column")
    return out


def packed_columns(raw, g, shapes):
    cur, out = Cursor(raw), []
    for shape in shapes:
        v = cur.varint()
        need(v != 1, "5.4-2", "column without bytes")
        if not v:
            out.append([None] * g.rows)
            continue
        nulls = cur.varint() if v & 1 else 0
        need(not v & 1 or 1 <= nulls < g.rows, "5.4-2", "nulls of a packed column")
        need(v >> 1 <= cur.left(), "5.4-1", "column runs past the block")
        part = Cursor(raw, cur.pos, cur.pos + (v >> 1))
        cur.pos = part.end
        out.append(column(part, shape, g.rows, nulls) if shape else [None] * g.rows)
        need(not shape or not part.left(), "5.3-5", "bytes behind the column")
    need(not cur.left(), "5.4-3", "bytes behind the last column")
    return out


# ---- 7 ------------------------------------------------------------------------------------------


def times(lo, hi, rule):
    need((lo == NO_TIME) == (hi == NO_TIME) and lo <= hi, rule, "time bounds")


def is_place(off, size, end):
    return off % 8 == 0 and size % 8 == 0 and size >= 40 and off + size <= end


def commit(p, off):
    need(len(p) >= 168, "7.1-1", "summed part of a COMMIT")
    c = COMMIT_FIXED.unpack(p[:168])
    c.off = off
    know(not c.flags, "7.1-2", "flags")
    need(c.hash == blake2b(p[:136] + bytes(32) + p[168:]), "7.4-1", "hash")
    need(c.seq and (c.prev_off == 0) == (c.seq == 1), "7.1-3", "seq")
    need(c.first_group % 8 == 0 and c.first_group <= off, "7.1-4", "first_group")
    place(c.prev_off, c.prev_len, c.first_group, "7.1-5")
    place(c.index_off, c.index_len, c.first_group, "7.1-6")
    need(c.schema_off % 8 == 0 and c.schema_off < c.first_group, "7.1-7", "schema_off")
    need(1 <= c.since_index <= c.seq and (c.index_off or c.since_index == c.seq), "7.1-8",
         "since_index")
    times(c.time_min, c.time_max, "7.1-9")
    need(c.rows <= c.rows_total and (c.seq > 1 or c.rows == c.rows_total), "7.1-10", "rows")
    need(c.seq > 1 or zero(c.prev_hash), "7.1-11", "prev_hash of the first commit")
    c.groups, c.zones, c.sources, c.no_append = [], [], {}, False
    c.filters, c.filters_hash = [], None
    c.rollups, c.rollups_hash = [], None
    c.folded = None
    for kind, flags, body in sections(p[168:]):
        if kind == 1:
            c.groups = group_refs(body, c)
        elif kind == 2:
            c.zones = zones(body, c)
        elif kind == 7:
            c.filters, c.filters_hash = filters(body, c)
        elif kind == 6:
            c.rollups, c.rollups_hash = rollups(body, c)
        elif kind == 5:
            c.sources = sources(body)
        elif kind == 8:
            c.folded = folded(body, c)
        elif kind > 8 and flags & 2:
            c.no_append = True
    need(c.groups or c.first_group == off, "7.2-6", "first_group of a commit without groups")
    need(c.rows == sum(g.rows for g in c.groups), "7.2-5", "rows")
    return c


def place(off, size, end, rule):
    need((off == 0) == (size == 0) and (not off or is_place(off, size, end)), rule, "place")


def sections(p):
    at, last = 0, 0
    while at < len(p):
        need(len(p) - at >= 8, "7.7-1", "section head cut short")
        s = SECTION.unpack(p[at:])
        kind, flags, size = s.type, s.flags, s.length
        need(kind > last, "7.7-2", "section types")
        know(not flags & 0xFC, "7.7-3", "section flags")
        need(not s.reserved, "7.7-4", "reserved byte")
        need(size <= len(p) - at - 8, "7.7-1", "section runs past the summed part")
        end = at + 8 + (size + 7) // 8 * 8
        need(end <= len(p), "7.7-1", "padding of a section cut short")
        need(zero(p[at + 8 + size:end]), "7.7-4", "padding of a section")
        know(kind <= 7 or not flags & 1, "7.7-5", f"section type {kind}")
        yield kind, flags, p[at + 8:at + 8 + size]
        at, last = end, kind


def group_refs(body, c):
    need(body and len(body) % 88 == 0 and len(body) // 88 <= 65536, "7.2-1", "length of GROUPS")
    out, end = [], c.first_group
    for i in range(0, len(body), 88):
        g = GROUP_REF.unpack(body[i:i + 88])
        need(is_place(g.off, g.len, c.off) and g.off >= end, "7.2-2", "place of a group")
        need(i or g.off == c.first_group, "7.2-2", "first group")
        need(1 <= g.rows <= 1 << 20, "7.2-3", "rows of a group")
        times(g.time_min, g.time_max, "7.2-4")
        end = g.off + g.len
        out.append(g)
    return out


def zones(body, c):
    cur, out, last = Cursor(body), [], (-1, -1)
    n = cur.varint()
    need(n <= 1 << 20 and n <= cur.left() // 4, "7.5-1", "number of zones")
    for _ in range(n):
        z = SimpleNamespace(group=cur.varint(), column=cur.varint(), min=None, max=None)
        need(z.group < len(c.groups) and z.column < 10000, "7.5-2", "group or column of a zone")
        z.flags = cur.u8("7.5-5")
        need(not z.flags & 0xE0 and not z.flags & 5 == 4 and not z.flags & 10 == 8 and
             (not z.flags & 16 or z.flags == 19), "7.5-3", "flags of a zone")
        z.nulls = cur.varint()
        need(z.nulls <= c.groups[z.group].rows, "7.5-4", "nulls of a zone")
        if z.flags & 1:
            z.min = zone_value(cur)
        if z.flags & 2:
            z.max = z.min if z.flags & 16 else zone_value(cur)
        need((z.group, z.column) > last, "7.5-6", "zones out of order")
        last = (z.group, z.column)
        out.append(z)
    need(not cur.left(), "7.5-7", "bytes behind the last zone")
    return out


def filters(body, c):
    need(len(body) > 32 and len(body) % 16 == 0, "7.9-1", "length of FILTERS")
    out, last = [], (-1, -1)
    for i in range(32, len(body), 16):
        f = FILTER_REF.unpack(body[i:i + 16])
        need(f.group < len(c.groups) and f.column < 10000, "7.9-2", "group or column of a filter")
        need((f.group, f.column) > last, "7.9-3", "filters out of order")
        need(f.off % 8 == 0 and c.first_group <= f.off < c.off, "7.9-4", "place of a filter")
        last = (f.group, f.column)
        if f.kind == 1:
            out.append(f)
    return out, body[:32]


SALTS = (0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947,
         0x5c6bfb31)


def filter_blocks(p):
    need(0 < len(p) <= 65536 * 32 and len(p) % 32 == 0, "7.8-1", "length of a filter")
    return p


def filter_holds(blocks, value):
    """May the bytes of a value be in?"""
    h = xxh3(value, 0)
    at = ((h >> 32) * (len(blocks) // 32) >> 32) * 32
    words = struct.unpack("<8I", blocks[at:at + 32])
    return all(w >> (((h & 0xFFFFFFFF) * s & 0xFFFFFFFF) >> 27) & 1 for w, s in zip(words, SALTS))


def rollups(body, c):
    if not body:
        return [], None
    need(len(body) > 32 and len(body) % 32 == 0, "7.10-1", "length of ROLLUPS")
    out = []
    for i in range(32, len(body), 32):
        r = ROLLUP_REF.unpack(body[i:i + 32])
        need(not out or r.view > out[-1].view, "7.10-2", "rollups out of order")
        need(r.off % 8 == 0 and c.first_group <= r.off < c.off, "7.10-3", "place of a rollup")
        need(zero(r.reserved), "7.10-4", "reserved bytes of a rollup")
        out.append(r)
    return out, body[:32]


def folded(body, c):
    need(len(body) == 96, "7.11-1", "length of FOLDED")
    need(c.seq == 1, "7.11-2", "FOLDED in a later commit")
    f = FOLDED.unpack(body)
    need(f.commits, "7.11-3", "no commit was folded")
    need(zero(f.reserved), "7.11-4", "reserved bytes of FOLDED")
    return f


def zone_value(cur):
    size = cur.u8("7.5-5")
    need(size <= 32, "7.5-5", "value of a zone")
    return cur.take(size, "7.5-5")


def sources(body):
    cur, out, last = Cursor(body), {}, None
    n = cur.varint()
    need(n <= 65536 and n <= cur.left() // 3, "7.6-1", "number of sources")
    for _ in range(n):
        size = cur.varint()
        need(1 <= size <= 1024, "7.6-2", "id of a source")
        name = cur.take(size, "7.6-2")
        need(last is None or name > last, "7.6-3", "sources out of order")
        out[name] = cur.varint()
        last = name
    need(not cur.left(), "7.6-4", "bytes behind the last source")
    return out


def trailer(data, at, salt):
    need(at >= 0 and at + 64 <= len(data), "7.3-1", "no trailer")
    raw = data[at:at + 64]
    t = TRAILER.unpack(raw)
    need(t.magic == b"EVST", "7.3-1", "magic of a trailer")
    need(t.sum == xxh3(raw[:56], salt ^ at), "7.3-2", "sum of a trailer")
    need(t.copy <= 1, "7.3-3", "copy")
    t.end = at + (64 if t.copy else 128)
    need(t.commit_off % 8 == 0 and t.commit_len >= 336 and t.commit_off + t.commit_len == t.end,
         "7.3-4", "place of the commit")
    need(t.seq and t.groups_rows <= t.rows_total and t.first_group <= t.commit_off and
         t.first_group % 8 == 0, "7.3-5", "numbers of a trailer")
    return t


def trailer_numbers(t):
    return t.commit_off, t.commit_len, t.seq, t.rows_total, t.first_group, t.groups_rows


def commit_numbers(c, f):
    """What both trailers of the commit must say (7.3-6)."""
    return c.off, f.span, c.seq, c.rows_total, c.first_group, c.rows


# ---- 8 ------------------------------------------------------------------------------------------


def index(p, off):
    need(len(p) >= 56, "8.1-1", "payload of an INDEX")
    x = INDEX_FIXED.unpack(p[:56])
    x.off = off
    know(not x.flags, "8.1-2", "flags")
    place(x.prev_off, x.prev_len, off, "8.1-3")
    prev_end = x.prev_off + x.prev_len
    need(is_place(x.last_commit_off, x.last_commit_len, off) and x.last_commit_off >= prev_end,
         "8.1-4", "last commit")
    need(1 <= x.nrefs <= 65536 and 48 * x.nrefs <= len(p) - 56, "8.1-5", "nrefs")
    x.refs = index_refs(p[56:56 + 48 * x.nrefs], prev_end, x.last_commit_off + x.last_commit_len)
    need(sum(r.rows for r in x.refs) == x.rows_total and sum(r.commits for r in x.refs) == x.seq,
         "8.1-6", "sums of the references")
    x.sources = {}
    for kind, _, body in sections(p[56 + 48 * x.nrefs:]):
        need(kind > 4, "8.1-7", f"section {kind} in an INDEX")
        if kind == 5:
            x.sources = sources(body)
    return x


def index_refs(p, prev_end, last_end):
    out, level, ends = [], 7, 0
    for i in range(0, len(p), 48):
        r = INDEX_REF.unpack(p[i:i + 48])
        need(r.level <= level, "8.2-1", "level")
        if r.level < level:
            level, ends = r.level, 0
        need(is_place(r.off, r.len, prev_end if r.level else last_end) and
             (r.level or r.off >= prev_end), "8.2-2", "place of a reference")
        need(r.off >= ends, "8.2-3", "references out of order")
        ends = r.off + r.len
        need(r.commits >= 1 and (r.level or r.commits == 1), "8.2-4", "commits of a reference")
        times(r.time_min, r.time_max, "8.2-5")
        out.append(r)
    return out
