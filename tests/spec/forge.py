"""Segments made byte by byte, with every checksum right and one thing wrong.

A Forge lays down HEAD, groups, commits, INDEX and SCHEMA frames as spec/segment.md says and seals
them; any field of any struct can be given another value on the way (`rows=0`), of the frame around
it with `frame_` in front (`frame_magic=b"..."`), and is then sealed like a right one. Salt and id
are fixed, so the same calls make the same bytes.
"""

import struct

import spec_frames as fr
from spec_bytes import blake2b, xxh3

SALT = 0x1122334455667788
CREATED = 1704067200 * 10 ** 9
MONDAY = 1704067200  # 2024-01-01, a Monday


def varint(v):
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out) + bytes((v,))


def number(v):
    """A signed number as 6.3 has it."""
    return varint(v << 1 ^ v >> 63)


def plain(w, *values):
    """PLAIN of INT(w)."""
    return b"\1" + b"".join((v & (1 << 8 * w) - 1).to_bytes(w, "little") for v in values)


def texts(*values):
    """PLAIN of BYTES."""
    return b"\1" + plain(4, *map(len, values)) + b"".join(values)


def bits(b, *values):
    whole = sum(v << i * b for i, v in enumerate(values))
    return whole.to_bytes((len(values) * b + 7) // 8, "little")


def pad(data):
    return data + bytes(-len(data) % 8)


def zstd(data):
    """A zstd frame of one raw block, and one that repeats the last byte where it comes often: the
    same bytes whatever the version of the library."""
    same = len(data) - len(data.rstrip(data[-1:]))
    same = same if same > 4 else 0
    rest = data[:len(data) - same]
    size = struct.pack("<BB", 0x20, len(data)) if len(data) < 256 else \
        struct.pack("<BH", 0x60, len(data) - 256)
    out = b"\x28\xb5\x2f\xfd" + size + (len(rest) << 3 | (not same)).to_bytes(3, "little") + rest
    return out + (same << 3 | 2 | 1).to_bytes(3, "little") + data[-1:] if same else out


def zstd_behind(prefix, data):
    """The same for data behind a prefix: one compressed block, with one sequence, which copies the
    longest piece that the prefix has of it; so a reader without the prefix cannot give it."""
    length, start = max((n, -s) for s in range(min(16, len(data))) for n in range(35)
                        if s + n <= len(data) and data[s:s + n] in prefix)
    start = -start
    assert length >= 3
    distance = start + len(prefix) - prefix.rindex(data[start:start + length])
    code = (distance + 3).bit_length() - 1
    literals = data[:start] + data[start + length:]
    body = (bytes((len(literals) << 3,)) if len(literals) < 32 else
            struct.pack("<H", len(literals) << 4 | 4)) + literals
    # One sequence; its three codes stand by themselves: literals, offset, match; then the offset's
    # low bits behind a mark.
    body += bytes((1, 0x54, start, code, length - 3))
    body += (distance + 3).to_bytes(code // 8 + 1, "little")
    size = struct.pack("<BB", 0x20, len(data)) if len(data) < 256 else \
        struct.pack("<BH", 0x60, len(data) - 256)
    return b"\x28\xb5\x2f\xfd" + size + (len(body) << 3 | 2 << 1 | 1).to_bytes(3, "little") + body


def section(kind, body, flags=0, reserved=0, length=None, padding=None):
    head = fr.SECTION.pack(kind, flags, reserved, len(body) if length is None else length)
    return head + (pad(body) if padding is None else body + padding)


def pack(layout, names, values, given):
    """Pack the fields; `given` replaces some of them, and is emptied of them."""
    return layout.pack(*(given.pop(name, values[name]) for name in names.split()))


class Forge:
    def __init__(self, schema=b"CREATE TABLE t (n UInt32) ENGINE = MergeTree;", salt=SALT, **given):
        self.data, self.salt, self.schema = bytearray(), salt, schema
        self.commits, self.groups, self.rows, self.index_at = [], [], 0, (0, 0, 0)
        self.schema_off = 0
        self.head(**given)

    # ---- frames ---------------------------------------------------------------------------------

    def frame(self, kind, payload, summed=None, flags=None, **given):
        """Append a frame; returns its offset. Of `given`: the fields, `padding`, `off` (for the
        seeds)."""
        at, off = len(self.data), given.pop("off", len(self.data))
        seed = (0 if kind == fr.HEAD else self.salt) ^ off
        summed = len(payload) if summed is None else summed
        refuse = kind in (fr.GROUP, fr.SCHEMA, fr.DICT)
        values = {"magic": fr.MAGIC, "type": kind, "flags": refuse if flags is None else flags,
                  "reserved": bytes(2),
                  "payload_len": len(payload), "summed_len": summed, "append": 0,
                  "payload_sum": xxh3(payload[:summed], seed), "head_sum": 0}
        padding = given.pop("padding", None)
        head_sum = given.pop("head_sum", None)
        raw = pack(fr.FRAME, " ".join(values), values, given)[:32]
        assert not given, given
        raw += struct.pack("<Q", xxh3(raw, seed) if head_sum is None else head_sum)
        self.data += raw + (pad(payload) if padding is None else payload + padding)
        return at

    def head(self, copies=2, stream=b"t", tenant=b"", suite_data=b"", stored=None, second=None,
             trunc=None, gap=0, **given):
        """HEAD, twice. `second`: other values for the second copy."""
        for copy in range(copies):
            values = {"major": 1, "minor": 0, "unit": 1, "suite": 0, "reserved": bytes(2),
                      "refuse_features": 0,
                      "ignore_features": 0, "segment_id": b"forged segment!!", "salt": self.salt,
                      "created": CREATED,
                      "part_lo": MONDAY, "part_hi": MONDAY + 7 * 86400, "stream_len": len(stream),
                      "tenant_len": len(tenant), "suite_len": len(suite_data),
                      "schema_len": len(self.schema),
                      "schema_stored_len": len(self.schema if stored is None else stored)}
            fields = {k: v for k, v in given.items() if not k.startswith("frame_")}
            around = {k[6:]: v for k, v in given.items() if k.startswith("frame_")}
            if copy:
                self.data += bytes(gap)
                fields.update({k: v for k, v in (second or {}).items()
                               if not k.startswith("frame_")})
                around.update({k[6:]: v for k, v in (second or {}).items()
                               if k.startswith("frame_")})
                around = {k: v for k, v in around.items() if v is not None}
            payload = pack(fr.HEAD_FIXED, " ".join(values), values, fields)
            assert not fields, fields
            payload += stream + tenant + suite_data + (self.schema if stored is None else stored)
            self.frame(fr.HEAD, payload[:trunc], **around)

    def new_schema(self, text, stored=None, size=None, extra=b"", trunc=None, **given):
        """A SCHEMA frame, in force from here on."""
        stored = text if stored is None else stored
        size = len(text) if size is None else size
        payload = struct.pack("<II", size, len(stored)) + stored + extra
        self.schema_off = self.frame(fr.SCHEMA, payload[:trunc], **given)
        return self.schema_off

    def dictionary(self, content, payload=None):
        """Two DICT frames; what a block begins with, and the content."""
        payload = zstd(content) if payload is None else payload
        return {
            "off": self.frame(fr.DICT, payload), "copy": self.frame(fr.DICT, payload),
            "hash": blake2b(content), "content": content
        }

    # ---- groups ---------------------------------------------------------------------------------

    def group(self, rows, columns, packed=True, codec=0, ref=None, directory=None, raw=None,
              blocks=None, cut=None, dictionaries=None,
              **given):
        """A group. Columns: (nulls, bytes), or None where null throughout. `ref` has other values
        for its reference in the commit, `directory` changes the list of entries; `raw` (packed:
        before the codec) and `blocks` are other bytes; `given` are fields, rows, columns and blocks
        with `_` behind. `dictionaries`: by column, for codec 2."""
        pieces = []
        if packed:
            if raw is None:
                raw = b"".join(b"\0" if c is None else varint(len(c[1]) << 1 | bool(c[0])) +
                               (varint(c[0]) if c[0] else b"") + c[1] for c in columns)
            pieces = [(0xFFFF, 0, raw)]
        else:
            pieces = [(i, c[0], c[1]) for i, c in enumerate(columns) if c is not None]
        entries, packed_blocks = [], b""
        for column, nulls, raw in pieces:
            stored, how = zstd(raw) if codec == 1 else raw, codec
            if dictionaries and column in dictionaries:
                d, how = dictionaries[column], 2
                stored = fr.BLOCK_DICT.pack(d["off"], d["copy"], d["hash"]) + zstd_behind(
                    d["content"], raw)
            entries.append({"column": column, "codec": how, "flags": 0, "stored_len": len(stored),
                            "raw_len": len(raw),
                            "nulls": nulls, "sum": xxh3(stored, 0)})
            packed_blocks += stored
        if directory:
            directory(entries)
        fields = {"schema_off": self.schema_off, "first_row": self.rows, "rows": rows,
                  "columns": len(columns),
                  "blocks": len(entries), "flags": int(packed), "reserved": bytes(4)}
        around = {k[6:]: given.pop(k) for k in list(given) if k.startswith("frame_")}
        given = {k.rstrip("_"): v for k, v in given.items()}
        payload = pack(fr.GROUP_FIXED, " ".join(fields), fields, given)
        for e in entries:
            payload += fr.BLOCK.pack(*e.values())
        summed = around.pop("summed", len(payload))
        assert not given, given
        payload += packed_blocks if blocks is None else blocks
        off = self.frame(around.pop("type", fr.GROUP), payload[:cut], summed, **around)
        span = len(self.data) - off
        reference = {"off": off, "len": span, "rows": rows, "run": 1, "mem_bytes": 0,
                     "src_bytes": 0,
                     "time_min": CREATED, "time_max": CREATED, "hash": blake2b(self.data[off:])}
        reference.update(ref or {})
        self.groups.append(reference)
        self.rows += rows
        return off

    # ---- commits --------------------------------------------------------------------------------

    def commit(self, sections=b"", groups=None, trailers=None, copies=None,
               trailing=b"", **given):
        """A COMMIT over the groups since the last one. `groups`: other bytes for the GROUPS
        section's body; `sections`: the sections behind it; `trailers`: other values for both,
        `copies`: for each."""
        off = len(self.data)
        named = b"".join(fr.GROUP_REF.pack(*g.values()) for g in self.groups)
        body = named if groups is None else groups
        last = self.commits[-1] if self.commits else None
        index_off, index_len, index_seq = self.index_at
        seq = len(self.commits) + 1
        rows = sum(g["rows"] for g in self.groups)
        fields = {"seq": seq, "written": CREATED, "rows": rows, "rows_total": self.rows,
                  "first_group": self.groups[0]["off"] if self.groups else off,
                  "prev_off": last["off"] if last else 0, "prev_len": last["len"] if last else 0,
                  "index_off": index_off, "index_len": index_len, "schema_off": self.schema_off,
                  "time_min": CREATED,
                  "time_max": CREATED, "since_index": seq - index_seq, "flags": 0,
                  "prev_hash": last["hash"] if last else bytes(32), "hash": bytes(32)}
        around = {k[6:]: given.pop(k) for k in list(given) if k.startswith("frame_")}
        names = " ".join(fields)
        hash_given = given.pop("hash", None)
        short = given.pop("short", None)
        fields.update({k: given.pop(k) for k in list(given) if k in fields})
        assert not given, given
        payload = bytearray(fr.COMMIT_FIXED.pack(*(fields[n] for n in names.split())))
        if body:
            payload += section(1, body, 1)
        payload += sections
        payload = payload[:short]
        value = blake2b(payload) if hash_given is None else hash_given
        if len(payload) >= 168:
            payload[136:168] = value
        span = 40 + len(payload) + 128 + len(trailing)
        trailer = {"magic": b"EVST", "copy": 0, "commit_off": off, "commit_len": span,
                   "seq": fields["seq"],
                   "rows_total": fields["rows_total"], "first_group": fields["first_group"],
                   "groups_rows": fields["rows"]}
        trailer.update(trailers or {})
        summed = around.pop("summed", len(payload))
        both = b""
        for copy in (0, 1):
            t = dict(trailer, copy=copy, **{})
            t.update((copies or ({}, {}))[copy])
            flip = t.pop("flip", 0)
            raw = fr.TRAILER.pack(*t.values(), 0)[:56]
            at = off + 40 + len(payload) + 64 * copy
            both += raw + struct.pack("<Q", xxh3(raw, self.salt ^ at) ^ flip)
        self.frame(fr.COMMIT, bytes(payload) + both + trailing, summed, **around)
        self.commits.append({"off": off, "len": len(self.data) - off, "hash": value, "rows": rows,
                             "time_min": fields["time_min"], "time_max": fields["time_max"]})
        self.groups = []
        return off

    def index(self, refs=None, sections=b"", trunc=None, behind=b"", **given):
        """An INDEX over all commits so far, on level 0 unless `refs` are given."""
        refs = self.level0() if refs is None else refs
        last = self.commits[-1]
        fields = {"seq": len(self.commits), "rows_total": self.rows, "prev_off": self.index_at[0],
                  "prev_len": self.index_at[1], "last_commit_off": last["off"],
                  "last_commit_len": last["len"],
                  "nrefs": len(refs), "flags": 0}
        around = {k[6:]: given.pop(k) for k in list(given) if k.startswith("frame_")}
        payload = pack(fr.INDEX_FIXED, " ".join(fields), fields, given)
        assert not given, given
        payload += b"".join(fr.INDEX_REF.pack(*r.values()) for r in refs) + sections + behind
        off = self.frame(fr.INDEX, payload[:trunc], **around)
        self.index_at = off, len(self.data) - off, len(self.commits)
        return off

    def level0(self, start=0):
        return [{"off": c["off"], "len": c["len"], "rows": c["rows"], "time_min": c["time_min"],
                 "time_max": c["time_max"],
                 "level": 0, "commits": 1} for c in self.commits[start:]]

    def save(self, path):
        with open(path, "wb") as f:
            f.write(self.data)
