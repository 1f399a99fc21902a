"""The files of corpus/bad: one for each "reader must" of spec/segment.md that one file can break,
named RULE-what.evs. Where the rest of a file stays intact, the bad piece stands in the second of
three commits, so that what must still be delivered is tested as well. forge_corpus.py writes them.
"""

import copy
import struct

import spec_frames as fr
from forge import CREATED, MONDAY, Forge, number, plain, section, texts, varint, zstd
from spec_bytes import blake2b

BAD = {}


def bad(name):
    def keep(make):
        assert name not in BAD, name
        BAD[name] = make
        return make
    return keep


# ---- files around one bad piece -----------------------------------------------------------------

def rows(f, n=2):
    """Columns of n rows for Forge's own schema."""
    return [(0, plain(4, *range(f.rows, f.rows + n))), None, (0, plain(8, *[CREATED] * n))]


def append(f, n=2, **given):
    f.group(n, rows(f, n), **given)
    f.commit()


def around(middle, last=True, first=True, **given):
    """A sound commit, what `middle` does, and one more sound commit."""
    f = Forge(**given)
    if first:
        append(f)
    middle(f)
    if last:
        append(f)
    return f


def head(name, **given):
    """HEAD, both copies alike."""
    bad(name)(lambda: around(lambda f: None, last=False, **given))


def group(name, n=2, **given):
    """A group with other fields."""
    bad(name)(lambda: around(lambda f: append(f, n, **given)))


def entry(name, index, packed=False, **fields):
    """An entry of a group's directory with other fields."""
    group(name, packed=packed, directory=lambda entries: entries[index].update(fields))


def commit(name, last=False, first=True, **given):
    """A commit with other fields, values or functions of the Forge. The newest one unless
    `last`."""
    def middle(f):
        f.group(2, rows(f))
        f.commit(**{k: v(f) if callable(v) else v for k, v in given.items()})
    bad(name)(lambda: around(middle, last, first))


def reference(name, **fields):
    """A group's reference with other fields: of one group; the commit is the second of three."""
    group(name, ref=fields)


def index(name, refs=None, **given):
    """An INDEX that stands in front of the last commit."""
    def middle(f):
        append(f)
        f.index(**{k: v(f) if callable(v) else v for k, v in given.items()},
                refs=None if refs is None else changed(f.level0(), refs))
    bad(name)(lambda: around(middle))


def changed(refs, changes):
    """References with other fields: {number: {field: value}}."""
    for i, fields in changes.items():
        refs[i].update(fields)
    return refs


DDL = b"""CREATE TABLE t (i UInt32, f Float64, u UUID, s String, l Array(UInt8),
m Map(String, Nullable(UInt8)), g Float32, b Int8, w Int64) ENGINE = MergeTree;
"""
WIDE = "i f u s l m g b w _extra _time".split()
ONE = struct.pack("<d", 1.0)


def sound(n):
    """Bytes for n rows of each column of DDL."""
    lengths = plain(4, *[1] * n) + varint(0)  # lists and maps of one element each
    small = plain(1, *range(n))
    return {"i": (0, plain(4, *range(n))), "f": (0, b"\1" + ONE * n),
            "u": (0, b"\1" + bytes(16 * n)), "s": (0, texts(*[b"abc"] * n)),
            "l": (0, lengths + small), "m": (0, lengths + texts(*[b"k"] * n) + varint(0) + small),
            "g": (0, b"\1" + struct.pack("<f", 1.0) * n), "b": (0, small),
            "w": (0, plain(8, *range(n))), "_extra": None, "_time": (0, plain(8, *[CREATED] * n))}


def wide(changes, n=3, **given):
    """Three commits; in the second the columns `changes` are as given."""
    f = Forge(DDL)
    for k in range(3):
        columns = sound(n)
        if k == 1:
            columns.update(changes)
        f.group(n, [columns[c] for c in WIDE], **({"packed": False, **given} if k == 1 else {}))
        f.commit()
    return f


def column(name, of, data, nulls=0, n=3, **given):
    """A column with other bytes."""
    bad(name)(lambda: wide({of: (nulls, data)}, n, **given))


# ---- 1.2, 3 -------------------------------------------------------------------------------------

column("1.2-1-varint-cut-off", "i", b"\2\x80")
column("1.2-2-varint-too-long", "i", b"\2\x80\0")
column("1.2-3-varint-of-70-bits", "l", plain(4, 1, 1, 1) + b"\xff" * 9 + b"\x7f")


@bad("9-6-misaligned-append")
def _():
    def middle(f):
        f.data += bytes(4)
        append(f)
    return around(middle, last=False)


group("3.1-2-magic", frame_magic=b"\x89EVT")
group("3.1-3-head-sum", frame_head_sum=1)
group("3.1-4-flags", frame_flags=5)
group("3.1-5-reserved", frame_reserved=b"\0\1")
group("3.1-6-type-0", frame_type=0)
group("3.1-7-unknown-type", frame_type=99, frame_flags=1)
group("3.1-8-sealed", frame_flags=3)
group("3.1-9-payload-len", frame_payload_len=1 << 32)
group("3.1-10-summed-len", frame_summed_len=1 << 20)
commit("3.1-11-commit-summed-len", last=True, frame_summed_len=8)
index("3.1-11-index-summed-len", frame_summed=8)
group("3.1-12-payload-sum", frame_payload_sum=1)
group("3.1-14-span", frame_payload_len=1 << 20)


group("3.1-15-group", frame_append=1)
commit("3.1-15-commit", last=True, frame_append=1)


@bad("3.1-15-index")
def _():
    def middle(f):
        append(f)
        f.index(frame_append=1)
    return around(middle)


@bad("3.1-15-schema")
def _():
    f = Forge()
    append(f)
    f.new_schema(b"CREATE TABLE t (n UInt32, s String) ENGINE = MergeTree;\n", append=1)
    f.group(2, [(0, plain(4, 7, 8)), (0, texts(b"a", b"b")), None,
                (0, plain(8, CREATED, CREATED))])
    f.commit()
    return f


def left_over(f, other, at):
    """Of the GROUP frame that `other` has there, head, fixed part and directory are in `f`, too."""
    left = 48 + fr.frame_head(bytes(other.data), at, other.salt).summed_len
    f.data[at:at + left] = other.data[at:at + left]
    return f


@bad("3.1-16-into-the-next-append")
def _():
    """The beginning of a long group is left over where a short one was written, and reaches into
    the append behind that."""
    f = Forge()
    append(f)
    other, at = copy.deepcopy(f), len(f.data)
    append(other, 100)
    append(f)
    append(f, 200)
    return left_over(f, other, at)


@bad("3.1-16-over-the-first-commit")
def _():
    """The same in a file with one append, which came by a rename and is not looked at for a tear."""
    f = Forge()
    other, at = copy.deepcopy(f), len(f.data)
    append(other, 60)
    append(f, 50)
    return left_over(f, other, at)


@bad("3.1-13-padding")
def _():
    def middle(f):
        at = f.group(2, rows(f))
        f.data[-1] = 7
        f.groups[-1]["hash"] = blake2b(f.data[at:])
        f.commit()
    return around(middle)


@bad("3.1-13-padding-of-schema")
def _():
    def middle(f):
        f.new_schema(f.schema + b" ")
        f.data[-1] = 7
        f.group(2, rows(f))
        f.commit()
    return around(middle)


@bad("3.1-13-padding-of-head")
def _():
    """The only copy that is left."""
    f = around(lambda f: None, last=False, tenant=b"xyz")
    size = fr.frame_head(bytes(f.data), 0, 0).span
    f.data[size - 1] = 7
    f.data[size + 44] ^= 1
    return f


# ---- 4 ------------------------------------------------------------------------------------------

head("4.1-1-payload", trunc=80)
head("4.1-2-major", major=2)
head("4.1-3-refuse-features", refuse_features=1 << 63)
head("4.1-4-suite", suite=9)
head("4.1-5-unit", unit=4)
head("4.1-6-reserved", reserved=b"\1\0")
head("4.1-7-bounds", part_hi=MONDAY)
head("4.1-8-stream-len", stream=b"")
head("4.1-8-stream-len-above", stream=b"s" * 256)
head("4.1-9-tenant-len", tenant=b"x" * 4097)
head("4.1-10-suite-data", suite_data=b"12345678")
head("4.1-11-lengths", tenant_len=1)
head("4.1-12-major-0", major=0)
head("4.1-13-first-copy", frame_payload_sum=1, second={"frame_payload_sum": None})
head("4.1-13-second-copy", second={"frame_payload_sum": 1})
head("4.1-13-copies-differ-in-salt", second={"salt": 1})
head("4.1-13-copies-differ-in-id", second={"segment_id": b"another segment!"})
head("4.1-13-copies-differ", second={"part_hi": MONDAY + 86400})
head("4.2-1-schema-len", schema_len=(1 << 24) + 1)
head("4.2-1-stored-len", schema_len=3)
head("4.2-2-not-zstd", schema_len=100)
head("4.2-2-two-frames", stored=zstd(b"CREATE TABLE t ") + zstd(b"(n UInt32);"), schema_len=200)
head("4.2-2-bytes-behind", stored=zstd(b"CREATE TABLE t (n UInt32);" + b" " * 174) + b"12345678",
     schema_len=200)
head("4.2-2-other-size", stored=zstd(b"CREATE TABLE t (n UInt32);" + b" " * 100), schema_len=200)
head("4.2-3-zero-byte", schema=b"CREATE TABLE t (n UInt32);\0")
head("9-2-second-copy-too-far", frame_payload_sum=1, second={"frame_payload_sum": None}, gap=64)


def schema_frame(name, **given):
    def middle(f):
        f.new_schema(b"CREATE TABLE t (n UInt32) ENGINE = MergeTree; -- again", **given)
        append(f)
    bad(name)(lambda: around(middle))


schema_frame("4.3-1-length", extra=b"12345678")
schema_frame("4.3-1-short", trunc=4)
schema_frame("4.2-2-schema-frame", size=1000)


@bad("9-1-empty")
def _():
    f = Forge()
    f.data = bytearray()
    return f


@bad("9-1-no-segment")
def _():
    f = Forge()
    f.data = bytearray(b'{"this":"is no segment"}\n' * 40)
    return f


bad("9-4-no-commit")(Forge)

# ---- 5 ------------------------------------------------------------------------------------------

group("5.1-1-summed", frame_summed=24)
group("5.1-2-flags", flags=3)
group("5.1-3-reserved", reserved=b"\1\0\0\0")
group("5.1-4-rows-0", rows_=0)
group("5.1-4-rows-above", rows_=(1 << 20) + 1)
group("5.1-5-columns-0", columns_=0)
group("5.1-5-columns-above", columns_=10001)
group("5.1-6-packed-blocks", blocks_=2)
group("5.1-6-blocks", packed=False, columns_=1)
group("5.1-7-summed-len", frame_summed=48)
group("5.1-8-schema-off", schema_off=4)
group("5.1-9-no-schema", schema_off=64)
group("5.1-9-columns", columns_=7)
group("5.1-9-schema-behind", schema_off=1 << 40)
group("5.1-10-first-row", first_row=7)
entry("5.2-1-column-above", 1, column=3)
entry("5.2-1-column-order", 1, column=0)
entry("5.2-1-packed-column", 0, packed=True, column=0)
entry("5.2-2-flags", 0, flags=1)
entry("5.2-3-stored-len", 0, stored_len=0)
entry("5.2-3-raw-len", 0, raw_len=99)
entry("5.2-3-raw-len-0", 0, raw_len=0)
entry("5.2-3-raw-len-above", 0, codec=1, raw_len=(1 << 30) + 1)
entry("5.2-4-nulls", 0, nulls=2)
entry("5.2-4-packed-nulls", 0, packed=True, nulls=1)
group("5.2-5-end", packed=False, blocks=b"\0" * 80)
entry("5.3-1-sum", 0, sum=1)
entry("5.3-1-packed-sum", 0, packed=True, sum=1)
entry("5.3-2-codec", 0, codec=3)


def zstd_block(name, stored, size):
    """The block of a packed group is `stored`, and said to be zstd of `size` bytes."""
    def change(entries):
        entries[0].update(codec=1, stored_len=len(stored), raw_len=size, sum=fr.xxh3(stored, 0))
    group(name, directory=change, blocks=stored)


WHOLE = varint(18) + plain(4, 1, 2) + b"\0" + varint(34) + plain(8, CREATED, CREATED)
zstd_block("5.3-3-no-zstd", WHOLE, len(WHOLE) + 1)
zstd_block("5.3-3-size", zstd(WHOLE), len(WHOLE) + 1)
zstd_block("5.3-3-two-frames", zstd(WHOLE[:9]) + zstd(WHOLE[9:]), len(WHOLE))
zstd_block("5.3-3-skippable", struct.pack("<II", 0x184D2A50, 8) + bytes(8) + zstd(WHOLE),
           len(WHOLE))
zstd_block("5.3-4-broken", zstd(b"x" * 9 + b"y")[:6] + b"\x55\0\0" + b"x" * 10, 10)


# ---- dictionaries --------------------------------------------------------------------------------

PREFIX = b"the quick brown fox jumps over the lazy dog"


def dictionary(name, payload=None, spoil=None, used=True, change=None, packed=False, **fields):
    """The second of three commits has a dictionary, and a block that needs it. `fields`: of what
    the block begins with; `spoil`: number of a DICT frame whose payload is damaged; `change`: the
    directory."""
    def middle(f):
        d = f.dictionary(PREFIX, payload)
        raw = texts(b"the quick brown fox", b"jumps")
        d.update({k: v(f, d) if callable(v) else v for k, v in fields.items()})
        if spoil is not None:
            for at in spoil:
                f.data[d[at] + 48] ^= 1
        f.group(2, [(0, raw), None, (0, plain(8, CREATED, CREATED))],
                packed=packed,
                directory=change,
                dictionaries={0: d} if used else None)
        f.commit()
    def whole():
        f = Forge(b"CREATE TABLE t (s String) ENGINE = MergeTree;")
        for part in (None, middle, None):
            if part:
                part(f)
            else:
                f.group(1, [(0, texts(b"sound")), None, (0, plain(8, CREATED))])
                f.commit()
        return f
    bad(name)(whole)


def many(size):
    """A zstd frame of so many zeros."""
    out, left = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", size), size
    while left:
        n = min(left, 128 << 10)
        left -= n
        out += (n << 3 | 2 | (not left)).to_bytes(3, "little") + b"\0"
    return out


dictionary("5.5-1-no-zstd", payload=b"no zstd at all")
dictionary("5.5-1-too-long", payload=many((1 << 20) + 1))
dictionary("5.5-1-empty", payload=b"\x28\xb5\x2f\xfd\x20\0\1\0\0")
dictionary("5.5-1-bytes-behind", payload=zstd(PREFIX) + b"12345678")
dictionary("5.5-1-broken", payload=zstd(PREFIX)[:6] + b"\x55\0\0" + b"x" * 10)
dictionary("5.5-2-packed", packed=True, used=False, change=lambda e: e[0].update(codec=2))
dictionary("5.5-2-short", used=False, change=lambda e: e[0].update(codec=2))
dictionary("5.5-3-odd", off=lambda f, d: d["off"] + 4)
dictionary("5.5-3-behind", copy=lambda f, d: 1 << 40)
dictionary("5.5-3-twice-the-same", copy=lambda f, d: d["off"])
dictionary("5.5-4-first-copy", spoil=("off",))
dictionary("5.5-4-another", off=lambda f, d: f.dictionary(b"something else")["off"])
dictionary("5.5-4-no-dict-frame", off=0)
dictionary("5.5-4-other-frame", off=lambda f, d: f.frame(77, zstd(PREFIX)))
dictionary("5.5-5-both-copies", spoil=("off", "copy"))
dictionary("5.5-5-other-hash", hash=blake2b(b"something else"))
dictionary("5.5-C1-unused", used=False, payload=b"no zstd at all")

column("5.3-5-behind", "i", plain(4, 1, 2, 3) + b"\0")
column("6.3-1-plain-short", "i", plain(4, 1, 2))


def packed(name, raw):
    group(name, raw=raw)


packed("5.4-1-runs-past", varint(60) + WHOLE[1:])
packed("5.4-2-v-1", b"\1" + WHOLE[1:])
packed("5.4-2-nulls-0", varint(19) + b"\0" + WHOLE[1:])
packed("5.4-2-nulls-all", varint(19) + b"\2" + WHOLE[1:])
packed("5.3-5-packed-column", varint(20) + plain(4, 1, 2) + b"\0" + WHOLE[10:])


@bad("5.4-3-behind")
def _():
    """All columns are shown, so all of the block is read; a hidden _time is not."""
    f = Forge(b"CREATE TABLE t (n UInt32, ts DateTime NOT NULL) ENGINE = MergeTree "
              b"PARTITION BY toMonday(ts);")
    times = plain(8, *[MONDAY] * 2)
    for k in range(3):
        raw = varint(18) + plain(4, 2 * k, 2 * k + 1) + varint(34) + times + b"\0"
        f.group(2, [None] * 3, raw=raw + b"\0" * (k == 1))
        f.commit()
    return f

# ---- 6 ------------------------------------------------------------------------------------------

column("6.1-1-child-without-kind", "i", b"\7\0\0")
column("6.1-2-unknown-kind", "i", b"\x63" + bytes(12))
column("6.1-2-kind-of-another-shape", "i", b"\x0b" + bytes(12))
column("6.1-2-decimal-inside", "f", b"\3\1" + b"\x0b\0" + plain(8, 1) + plain(1, 0, 0, 0))
column("6.1-2-uuid-of-int", "i", b"\x0c" + bytes(60))
column("6.1-3-depth", "i", b"\x09\0\2" * 8 + plain(4, 1, 2, 3))
column("6.2-1-kind", "i", b"\3" + b"\6" + plain(4, 1, 2), 1)
column("6.2-2-first", "i", b"\2\2\2" + plain(4, 1, 2) + plain(4, 1, 2), 1)
column("6.2-2-runs-0", "i", b"\2\0\0" + plain(4, 1, 2) + plain(4, 1, 2), 1)
column("6.2-2-runs-above", "i", b"\2\0\4" + plain(4, 1, 0, 1, 1) + plain(4, 1, 2), 1)
column("6.2-3-length-0", "i", b"\2\0\3" + plain(4, 1, 0, 2) + plain(4, 1, 2), 1)
column("6.2-3-sum", "i", b"\2\0\2" + plain(4, 1, 3) + plain(4, 1, 2), 1)
column("6.2-4-bitmap", "i", b"\1", 1)
column("6.3-5-bitmap-behind", "i", b"\1\x0e" + plain(4, 1, 2), 1)
column("6.2-5-nulls", "i", b"\1\7" + plain(4, 1, 2), 1)
column("6.2-5-nulls-of-runs", "i", b"\2\0\2" + plain(4, 2, 1) + plain(4, 1, 2), 1)
column("6.3-2-const", "i", b"\2" + varint(1 << 32))
column("6.3-3-base", "i", b"\5" + varint(1 << 32) + b"\1\7")
column("6.3-3-width-0", "i", b"\5\0\0")
column("6.3-3-width", "i", b"\5\0\x21" + bytes(13))
column("6.3-3-patched-width", "i", b"\6\0\x20\1" + bytes(12) + plain(4, 0) + plain(4, 0))
column("6.3-3-block-width", "i", b"\x13\0" + plain(1, 33) + bytes(13))
column("6.3-3-block-base", "b", b"\x13" + varint(256) + plain(1, 1) + bytes(1))
column("6.3-4-bits", "i", b"\5\0\x0c" + bytes(4))
column("6.3-4-block-bits", "i", b"\x13\0" + plain(1, 12) + bytes(4))
column("6.3-5-bits-behind", "i", b"\5\0\1\x0f")
column("6.3-6-patches-0", "i", b"\6\0\1\0\7" + plain(4, 0) + plain(4, 1))
column("6.3-6-patches-above", "i", b"\6\0\1\4\7" + plain(4, 0, 1, 2, 3) + plain(4, 1, 1, 1, 1))
column("6.3-7-places-fall", "i", b"\6\0\1\2\7" + plain(4, 1, 0) + plain(4, 1, 1))
column("6.3-7-places-twice", "i", b"\6\0\1\2\7" + plain(4, 1, 1) + plain(4, 1, 1))
column("6.3-7-places-above", "i", b"\6\0\1\2\7" + plain(4, 1, 3) + plain(4, 1, 1))
column("6.3-8-planes-base", "i", b"\x0a" + varint(1 << 32) + b"\1" + bytes(3))
column("6.3-8-planes-0", "i", b"\x0a\0\0")
column("6.3-8-planes-above", "i", b"\x0a\0\5" + bytes(15))
column("6.3-9-planes", "i", b"\x0a\0\2" + bytes(5))
column("6.3-10-delta-n", "i", b"\7\0\0" + plain(4), n=1)
column("6.3-10-delta-z", "i", b"\7\2\0" + plain(4, 1, 1))
column("6.3-10-delta-first", "i", b"\7\0" + varint(1 << 32) + plain(4, 1, 1))
column("6.3-11-delta2-n", "i", b"\x08\0\0" + plain(4), n=2)
column("6.3-11-delta2-first", "i", b"\x08" + varint(1 << 32) + b"\0" + plain(4, 1))
column("6.3-11-delta2-second", "i", b"\x08\0" + varint(1 << 32) + plain(4, 1))
column("6.3-12-scaled-base", "i", b"\x09" + varint(1 << 32) + b"\2" + plain(4, 1, 2, 3))
column("6.3-12-scaled-factor-1", "i", b"\x09\0\1" + plain(4, 1, 2, 3))
column("6.3-12-scaled-factor", "i", b"\x09\0" + varint(1 << 32) + plain(4, 1, 2, 3))
column("6.3-13-runs-0", "i", b"\4\0" + plain(4) + plain(4))
column("6.3-13-runs-above", "i", b"\4\4" + plain(4, 1, 2, 3, 4) + plain(4, 1, 1, 1, 1))
column("6.3-14-length-0", "i", b"\4\3" + plain(4, 1, 2, 3) + plain(4, 3, 0, 0))
column("6.3-14-lengths", "i", b"\4\2" + plain(4, 1, 2) + plain(4, 1, 1))
column("6.3-14-lengths-wrap", "i", b"\4\2" + plain(4, 1, 2) + plain(4, 4, 0xFFFFFFFF))
column("6.3-15-dict-0", "i", b"\3\0" + plain(4) + plain(1, 0, 0, 0))
column("6.3-15-dict-above", "i", b"\3\4" + plain(4, 1, 2, 3, 4) + plain(1, 0, 1, 2))
column("6.3-15-dict-of-fixed", "u", b"\3\4\1" + bytes(64) + plain(1, 0, 1, 2))
column("6.3-15-dict-of-bytes", "s", b"\3\0" + texts() + plain(1, 0, 0, 0))
column("6.3-16-code", "i", b"\3\2" + plain(4, 1, 2) + plain(1, 0, 1, 2))
column("6.3-16-code-of-fixed", "u", b"\3\1\1" + bytes(16) + plain(1, 0, 1, 0))
column("6.3-16-code-of-bytes", "s", b"\3\1" + texts(b"a") + plain(1, 0, 0, 255))
column("6.3-17-recent", "i", b"\x12" + plain(4, 0, 1, 2))
column("6.3-1-fixed", "u", b"\1" + bytes(47))
column("6.3-1-fixed-const", "u", b"\2" + bytes(15))
column("6.3-1-fixed-planes", "u", b"\x0a" + bytes(47))
column("6.4-1-bit-7", "f", b"\x0b\x80" + plain(8, 1, 2, 3))
column("6.4-1-exponent", "f", b"\x0b\x13" + plain(8, 1, 2, 3))
column("6.4-2-exponents", "f", b"\x0b\x1f" + plain(1, 19) + plain(8, 1, 2, 3))
column("6.4-3-exceptions-0", "f", b"\x0b\x40" + plain(8, 1, 2, 3) + b"\0" + plain(4) + plain(8))
column("6.4-3-exceptions-above", "f", b"\x0b\x40" + plain(8, 1, 2, 3) + b"\4" +
       plain(4, 0, 1, 2, 3) + plain(8, 1, 2, 3, 4))
column("6.4-4-places-fall", "f", b"\x0b\x40" + plain(8, 1, 2, 3) + b"\2" + plain(4, 1, 0) +
       plain(8, 1, 2))
column("6.4-4-places-above", "f", b"\x0b\x40" + plain(8, 1, 2, 3) + b"\1" + plain(4, 3) +
       plain(8, 1))
column("6.5-1-version-0", "u", b"\x0c\0" + bytes(45) + bytes(1))
column("6.5-1-form", "u", b"\x0c\x14" + bytes(45) + bytes(1))
column("6.5-2-time", "u", b"\x0c\x87" + plain(8, 0, 1 << 48, 0) + bytes(27) + bytes(1))
column("6.5-3-records", "u", b"\x0c\4" + bytes(44))
column("6.5-3-bits", "u", b"\x0c\4" + bytes(45))
column("6.3-5-uuid-bits-behind", "u", b"\x0c\4" + bytes(45) + b"\x40")
column("6.6-1-bytes", "s", b"\1" + plain(4, 1, 2, 3) + b"abbcc")
column("6.6-1-huge-length", "s", b"\1" + plain(4, 1, 2, 0x7FFF0000 - 3) + b"abbcc")
column("6.1-7-lengths", "s", b"\1" + plain(4, 0xFFFFFFFF, 2, 3) + b"abbccc")
column("6.6-1-hex", "s", b"\x0e" + plain(4, 1, 2, 3) + b"abbcc")
column("6.6-2-const", "s", b"\2\5abcd")
column("6.6-3-affix", "s", b"\x11\3\3abcde")
column("6.6-4-separator", "s", b"\x10-\0\0" + plain(8, 1, 2, 3))
column("6.6-4-digits", "s", b"\x10T\x0a\0" + plain(8, 1, 2, 3))
column("6.6-4-digits-of-days", "s", b"\x10\0\1\0" + plain(8, 1, 2, 3))
column("6.6-4-suffix", "s", b"\x10T\0\x09" + b"suffixxxx" + plain(8, 1, 2, 3))
column("6.6-5-year", "s", b"\x10\0\0\0" + plain(8, 1, 2932897, 3))
column("6.6-5-year-below", "s", b"\x10T\0\0" + plain(8, 1, -62167219201, 3))
column("6.6-6-no-templates", "s", b"\x14\0\0")
column("6.6-6-templates", "s", b"\x14\4\0" + 4 * b"\0\0" + plain(1, 1, 2, 3))
column("6.6-6-columns", "s", b"\x14\1" + varint(65536) + b"\0\1x\2\0")
column("6.6-7-literal", "s", b"\x14\1\0\0\5ab")
column("6.6-7-gaps", "s", b"\x14\1\1" + varint(65536) + b"\0\0\0")
column("6.6-7-second-literal", "s", b"\x14\1\1\1\1x\0\5ab")
column("6.6-8-column", "s", b"\x14\1\1\1\0\1\0\2\0\2\1y")
column("6.6-9-no-values", "s", b"\x14\1\1\0\1x\2\0\2\1y")
column("6.3-16-template", "s", b"\x14\1\0\0\1x" + plain(1, 0, 1, 0))
column("6.7-1-nulls", "l", plain(4, 1, 1, 1) + varint(4) + plain(1, 1, 2, 3))
column("6.7-3-null-keys", "m", plain(4, 1, 1, 1) + varint(1) + b"\1\6" + texts(b"a", b"b") +
       varint(0) + plain(1, 1, 2, 3))
column("6.1-7-elements", "l", plain(4, 0xFFFFFFFF, 1, 1) + varint(0) + plain(1, 1))


@bad("6.7-2-nesting")
def _():
    f = Forge(b"CREATE TABLE t (a %sUInt8%s) ENGINE = MergeTree;" % (b"Array(" * 9, b")" * 9))
    f.group(1, [(0, (plain(4, 1) + b"\0") * 9 + plain(1, 1)), None, (0, plain(8, CREATED))])
    f.commit()
    return f


# ---- 7 ------------------------------------------------------------------------------------------

for of, is_last in (("newest", False), ("older", True)):
    commit(f"7.1-2-flags-{of}", is_last, flags=1)
    commit(f"7.1-3-seq-0-{of}", is_last, seq=0, trailers={"seq": 2})
    commit(f"7.1-3-no-prev-{of}", is_last, prev_off=0, prev_len=0)
    commit(f"7.1-4-first-group-{of}", is_last, first_group=1 << 40, trailers={"first_group": 480})
    commit(f"7.1-5-prev-len-{of}", is_last, prev_len=1 << 20)
    commit(f"7.1-6-index-{of}", is_last, index_off=64, index_len=0)
    commit(f"7.1-7-schema-off-{of}", is_last, schema_off=12)
    commit(f"7.1-8-since-index-{of}", is_last, since_index=0)
    commit(f"7.1-9-times-{of}", is_last, time_min=CREATED + 1)
    commit(f"7.1-10-rows-{of}", is_last, rows=100, trailers={"groups_rows": 2})
    commit(f"7.1-12-seq-{of}", is_last, seq=3, since_index=3)
    commit(f"7.1-12-prev-hash-{of}", is_last, prev_hash=b"\1" * 32)
    commit(f"7.1-12-rows-total-{of}", is_last, rows_total=5)
    commit(f"7.2-1-length-{of}", is_last, groups=bytes(87))
    commit(f"7.2-5-rows-{of}", is_last, rows=1)
    commit(f"7.2-6-first-group-{of}", is_last, groups=b"", rows=0, rows_total=2)
    commit(f"7.4-1-hash-{of}", is_last, hash=b"\1" * 32)
commit("7.1-3-prev-of-first", first=False, prev_off=64, prev_len=64)
commit("7.1-1-summed", last=True, short=160, groups=b"")
commit("7.1-4-first-group-odd", first_group=12, trailers={"first_group": 480})
commit("7.1-8-since-index-above", since_index=3)
commit("7.1-8-since-index-without-index", since_index=1)
commit("7.1-9-one-time", time_min=fr.NO_TIME)
commit("7.1-9-no-time-max", time_max=fr.NO_TIME)
commit("7.1-10-rows-of-first", first=False, rows_total=3)
commit("7.1-11-prev-hash", first=False, prev_hash=b"\1" * 32)
reference("7.2-2-place", len=44)
reference("7.2-3-rows-0", rows=0)
reference("7.2-4-times", time_max=CREATED - 1)
reference("7.2-7-hash", hash=b"\1" * 32)


@bad("7.2-2-overlap")
def _():
    def middle(f):
        f.group(2, rows(f))
        f.groups.append(dict(f.groups[0]))
        f.rows += 2
        f.commit()
    return around(middle)


@bad("7.2-2-behind")
def _():
    def middle(f):
        at = f.group(2, rows(f), ref={"off": 1 << 40})
        f.commit(first_group=at)
    return around(middle)


@bad("7.2-3-rows-above")
def _():
    def middle(f):
        f.group(2, rows(f), ref={"rows": (1 << 20) + 1})
        f.commit(rows=2)
    return around(middle)


@bad("7.2-7-rows")
def _():
    def middle(f):
        f.group(2, rows(f), ref={"rows": 3})
        f.rows += 1
        f.commit()
    return around(middle)


@bad("7.2-7-no-group")
def _():
    def middle(f):
        at = f.new_schema(f.schema)
        f.schema_off, size = 0, len(f.data) - at
        f.group(2, rows(f))
        f.groups[-1].update(off=at, len=size)
        f.commit()
    return around(middle)


@bad("7.2-7-span")
def _():
    def middle(f):
        f.group(2, rows(f))
        f.groups[-1]["len"] += 8
        f.new_schema(f.schema)
        f.schema_off = 0
        f.commit()
    return around(middle)


@bad("7.1-12-prev-off")
def _():
    def middle(f):
        append(f)
        f.group(2, rows(f))
        f.commit(prev_off=f.commits[0]["off"], prev_len=f.commits[0]["len"])
    return around(middle)


@bad("7.1-2-flags-with-schema")
def _():
    def middle(f):
        f.new_schema(f.schema)
        f.group(2, rows(f))
        f.commit(flags=1)
        f.schema_off = 0
    return around(middle)


def trailer(name, **fields):
    """Both trailers of the newest commit with other fields."""
    commit(name, copies=(fields, fields))


commit("7.3-1-magic-of-first", copies=({"magic": b"EVSU"}, {}))
commit("7.3-1-magic-of-second", copies=({}, {"magic": b"EVSU"}))
commit("7.3-2-sum-of-first", copies=({"flip": 1}, {}))
commit("7.3-2-sum-of-second", copies=({}, {"flip": 1}))
commit("7.3-7-sum-in-older", last=True, copies=({}, {"flip": 1}))
commit("7.3-7-both-in-older", last=True, copies=({"flip": 1}, {"flip": 1}))
commit("7.3-3-copy", copies=({}, {"copy": 2}))
commit("9-6-copies-swapped", copies=({"copy": 1}, {"copy": 0}))
commit("7.3-4-commit-len", copies=({}, {"commit_len": 1 << 20}))
commit("7.3-5-seq", copies=({}, {"seq": 0}))
commit("7.3-5-rows", copies=({}, {"groups_rows": 100}))
commit("7.3-5-first-group", copies=({}, {"first_group": 12}))
trailer("7.3-6-rows-total", rows_total=9)
trailer("7.3-6-seq", seq=9)
commit("7.3-6-seq-in-older", last=True, copies=({}, {"seq": 9}))
commit("7.3-6-one-copy", copies=({}, {"rows_total": 9}))
trailer("9-6-both-bad", flip=1)


@bad("7.3-6-commit-off-in-older")
def _():
    """A trailer that is sound by itself and names a commit that begins earlier."""
    def middle(f):
        f.group(2, rows(f))
        at, span = len(f.data), 40 + 168 + 8 + 88 + 128
        f.commit(copies=({}, {"commit_off": at - 64, "commit_len": span + 64}))
    return around(middle)


def zones(name, body):
    commit(name, sections=section(2, body), last=True)


def zone(at=0, column=0, flags=0, nulls=0, *values):
    fixed = varint(at) + varint(column) + bytes((flags,)) + varint(nulls)
    return fixed + b"".join(bytes((len(v),)) + v for v in values)


LOW, HIGH = struct.pack("<Q", 2), struct.pack("<Q", 3)
zones("7.5-1-number", varint(2) + zone(0, 0, 3, 0, LOW)[:4])
zones("7.5-1-number-above", varint((1 << 20) + 1) + bytes(64))
zones("7.5-2-group", varint(1) + zone(1, 0, 3, 0, LOW, HIGH))
zones("7.5-2-column", varint(1) + zone(0, 10000, 3, 0, LOW, HIGH))
zones("7.5-2-no-group", varint(2) + zone(0, 0, 3, 0, LOW, HIGH))
zones("7.5-3-bit-5", varint(1) + zone(0, 0, 0x23, 0, LOW, HIGH))
zones("7.5-3-cut-without-min", varint(1) + zone(0, 0, 4, 0, LOW))
zones("7.5-3-same-without-max", varint(1) + zone(0, 0, 17, 0, LOW))
zones("7.5-4-nulls", varint(1) + zone(0, 0, 3, 3, LOW, HIGH))
zones("7.5-5-long", varint(1) + zone(0, 0, 3, 0, b"x" * 33, b"y"))
zones("7.5-5-cut-off", varint(1) + zone(0, 0, 3, 0, LOW, HIGH)[:-2])
zones("7.5-6-order", varint(2) + zone(0, 2, 0, 0) + zone(0, 0, 0, 0))
zones("7.5-6-twice", varint(2) + zone(0, 0, 0, 0) + zone(0, 0, 0, 0))
zones("7.5-7-behind", varint(1) + zone(0, 0, 3, 0, LOW, HIGH) + b"\0")


def filters(name, *entries, behind=b"", digest=bytes(32), payload=bytes(32), kind=8):
    """A FILTER frame behind a group, and a FILTERS section: entries (off, group, column, kind); off
    None: the frame's."""
    def middle(f):
        f.group(2, rows(f))
        at = f.frame(kind, payload)
        body = b"".join(fr.FILTER_REF.pack(at if e[0] is None else e[0], *e[1:]) for e in entries)
        f.commit(sections=section(7, digest + body + behind))
    bad(name)(lambda: around(middle))


filters("7.8-1-no-block", (None, 0, 0, 1), payload=b"")
filters("7.8-1-half-a-block", (None, 0, 0, 1), payload=bytes(48))
filters("7.9-1-no-entry")
filters("7.9-1-half-an-entry", (None, 0, 0, 1), behind=bytes(8))
filters("7.9-2-group", (None, 1, 0, 1))
filters("7.9-2-column", (None, 0, 10000, 1))
filters("7.9-3-order", (None, 0, 1, 1), (None, 0, 0, 1))
filters("7.9-3-twice", (None, 0, 0, 1), (None, 0, 0, 1))
filters("7.9-4-odd", (4, 0, 0, 1))
filters("7.9-4-before", (8, 0, 0, 1))
filters("7.9-4-behind", (1 << 40, 0, 0, 1))


def rollups(name, *entries, behind=b""):
    """A ROLLUP frame behind a group, and a ROLLUPS section: entries (view, off, groups, reserved);
    off None: the frame's."""
    def middle(f):
        f.group(2, rows(f))
        at = f.frame(fr.ROLLUP, b"not looked at by a reader of rows")
        body = b"".join(
            fr.ROLLUP_REF.pack(e[0], at if e[1] is None else e[1], *e[2:]) for e in entries)
        f.commit(sections=section(6, bytes(32) + body + behind))
    bad(name)(lambda: around(middle))


VIEW = b"sixteen bytes..."
rollups("7.10-1-no-entry")
rollups("7.10-1-half-an-entry", (VIEW, None, 1, bytes(4)), behind=bytes(16))
rollups("7.10-2-order", (VIEW, None, 1, bytes(4)), (bytes(16), None, 1, bytes(4)))
rollups("7.10-2-twice", (VIEW, None, 1, bytes(4)), (VIEW, None, 1, bytes(4)))
rollups("7.10-3-odd", (VIEW, 4, 1, bytes(4)))
rollups("7.10-3-before", (VIEW, 8, 1, bytes(4)))
rollups("7.10-3-behind", (VIEW, 1 << 40, 1, bytes(4)))
rollups("7.10-4-reserved", (VIEW, None, 1, b"\0\1\0\0"))


FOLDED = bytes(16) + b"\5" + bytes(7) + bytes(8 + 32 + 16) + b"\14"


def folded(name, body, **given):
    """A FOLDED section, in the first commit of the file unless said otherwise."""
    commit(name, **{"first": False, "last": True, **given}, sections=section(8, body))


folded("7.11-1-short", FOLDED + bytes(7))
folded("7.11-1-long", FOLDED + bytes(23))
folded("7.11-2-later", FOLDED + bytes(15), first=True)
folded("7.11-3-none", FOLDED.replace(b"\5", b"\0") + bytes(15))
folded("7.11-4-reserved", FOLDED + bytes(14) + b"\1")


def sources(name, body):
    commit(name, sections=section(5, body, 2), last=True)


sources("7.6-1-number", varint(9) + b"\1a\1")
sources("7.6-1-number-above", varint(65537) + bytes(64))
sources("7.6-2-id-0", varint(1) + b"\0\1\1")
sources("7.6-2-id-above", varint(1) + varint(1025) + b"x" * 1025 + b"\1")
sources("7.6-2-cut-off", varint(1) + b"\x0aabc")
sources("7.6-2-no-length", varint(2) + b"\4abcd\1")
sources("7.6-3-order", varint(2) + b"\1b\1\1a\1")
sources("7.6-3-twice", varint(2) + b"\1a\1\1a\1")
sources("7.6-4-behind", varint(1) + b"\1a\1\0")
commit("7.7-1-runs-past", sections=section(9, b"12345678", length=99), last=True)
commit("7.7-2-order", sections=section(9, b"") + section(8, b""), last=True)
commit("7.7-2-twice", sections=section(9, b"") + section(9, b""), last=True)
commit("7.7-2-type-0", sections=section(0, b""), groups=b"", last=True)
commit("7.7-3-flags", sections=section(9, b"", 4), last=True)
commit("7.7-4-reserved", sections=section(9, b"", reserved=1), last=True)
commit("7.7-4-padding", sections=section(9, b"1234", padding=b"\0\0\0\1"), last=True)
commit("7.7-5-refuse", sections=section(9, b"", 1), last=True)
commit("7.7-5-refuse-newest", sections=section(9, b"", 1))

# ---- 8 ------------------------------------------------------------------------------------------

index("8.1-1-payload", trunc=48)
index("8.1-2-flags", flags=1)
index("8.1-3-prev", prev_off=1 << 40, prev_len=64)
index("8.1-3-half", prev_len=64)
index("8.1-4-last-commit", last_commit_off=1 << 40)
index("8.1-5-nrefs-0", nrefs=0)
index("8.1-5-nrefs", nrefs=99)
index("8.1-6-rows", rows_total=99)
index("8.1-6-seq", seq=99)
index("8.1-7-groups", sections=section(1, b"", 1))
index("8.1-7-zones", sections=section(2, b"\0"))
index("8.2-1-level", {0: {"level": 8}})
index("8.2-1-order", {1: {"level": 1}})
index("8.2-2-place", {0: {"off": 12}})
index("8.2-2-behind", {1: {"off": 1 << 40}})
index("8.2-2-level-1", {0: {"level": 1}})
index("8.2-4-commits-0", {0: {"commits": 0}}, seq=1)
index("8.2-4-commits-2", {0: {"commits": 2}}, seq=3)
index("8.2-5-times", {0: {"time_min": CREATED + 1}})
index("8.3-2-rows", {0: {"rows": 1}, 1: {"rows": 3}})
index("8.3-2-times", {0: {"time_min": CREATED - 1}})
index("8.3-2-span", {0: {"len": 40}})
index("7.7-5-index", sections=section(9, b"", 1))
index("7.6-3-index", sections=section(5, varint(2) + b"\1b\1\1a\1", 2))


@bad("7.1-13-seq")
def _():
    def middle(f):
        append(f)
        f.index()
        f.group(2, rows(f))
        f.commit(since_index=2)
    return around(middle, last=False)


@bad("7.1-13-index")
def _():
    """A commit that counts from the INDEX before the newest."""
    def middle(f):
        append(f)
        f.index()
        off, size, seq = f.index_at
        append(f)
        up = {"off": off, "len": size, "rows": 4, "time_min": CREATED, "time_max": CREATED,
              "level": 1, "commits": 2}
        f.index(refs=[up] + f.level0(2))
        f.group(2, rows(f))
        f.commit(index_off=off, index_len=size, since_index=4 - seq)
    return around(middle)


@bad("8.3-2-place")
def _():
    def middle(f):
        at = f.group(2, rows(f))
        f.commit()
        refs = f.level0()
        refs[1]["off"] = at
        f.index(refs=refs)
    return around(middle)


@bad("8.2-3-overlap")
def _():
    def middle(f):
        append(f)
        refs = f.level0()
        f.index(refs=[refs[0], dict(refs[0])])
    return around(middle)


@bad("8.3-1-level-1")
def _():
    """A reference of level 1 that promises more rows than the INDEX behind it has."""
    def middle(f):
        append(f)
        f.index()
        append(f)
        up = {"off": f.index_at[0], "len": f.index_at[1], "rows": 5, "time_min": CREATED,
              "time_max": CREATED, "level": 1,
              "commits": 2}
        last = dict(f.level0(2)[0], rows=1)
        f.index(refs=[up, last])
    return around(middle)


# ---- for checkers --------------------------------------------------------------------------------
# A reader takes what is said of values for true, and gives the rows.

SORTED = b"CREATE TABLE t (n UInt32) ENGINE = MergeTree ORDER BY n;"


def lie(name, middle, **given):
    """A sound commit, what `middle` does, and one more sound commit; all values can be read."""
    bad(name)(lambda: around(middle, **given))


def values(f, *n):
    return [(0, plain(4, *n)), None, (0, plain(8, *[CREATED] * len(n)))]


lie("3.1-C1-flag-of-group", lambda f: append(f, frame_flags=0))
lie("4.1-C1-bounds", lambda f: append(f), part_lo=MONDAY - 86400)


@bad("4.1-C2-outside")
def _():
    def middle(f):
        late = CREATED + 7 * 86400 * 10 ** 9
        f.group(1, [(0, plain(4, 9)), None, (0, plain(8, late))],
                ref={"time_min": late, "time_max": late})
        f.commit(time_min=late, time_max=late)
    return around(middle)


commit("7.1-C1-time-min", last=True, time_min=CREATED - 1)
commit("7.1-C2-prev-len", last=True, prev_len=lambda f: f.commits[-1]["len"] - 8)


@bad("7.1-C2-index-len")
def _():
    def middle(f):
        append(f)
        f.index()
        f.group(2, rows(f))
        f.commit(index_len=f.index_at[1] - 8)
    return around(middle)


commit("7.1-C3-no-schema", last=True, schema_off=8)


@bad("7.2-C1-order")
def _():
    f = Forge(SORTED)
    append(f)
    f.group(3, values(f, 5, 7, 6))
    f.commit()
    return f


@bad("7.2-C2-run")
def _():
    f = Forge(SORTED)
    append(f)
    for n in ((5, 6), (6, 7), (1, 2)):
        f.group(2, values(f, *n), ref={"run": 2})
    f.commit()
    return f


reference("7.2-C3-time-min", time_min=CREATED - 1)
reference("7.2-C3-no-time", time_min=fr.NO_TIME, time_max=fr.NO_TIME)
zones("7.5-C1-nulls", varint(1) + zone(0, 0, 3, 1, LOW, HIGH))
zones("7.5-C1-nulls-of-empty-column", varint(1) + zone(0, 1, 0, 1))
zones("7.5-C2-min-below", varint(1) + zone(0, 0, 3, 0, struct.pack("<Q", 1), HIGH))
zones("7.5-C2-min-above", varint(1) + zone(0, 0, 3, 0, HIGH, HIGH))
zones("7.5-C2-max", varint(1) + zone(0, 0, 3, 0, LOW, LOW))
zones("7.5-C2-cut", varint(1) + zone(0, 0, 7, 0, LOW, HIGH))
zones("7.5-C2-value-of-nulls", varint(1) + zone(0, 1, 1, 2, b"a"))
zones("7.5-C3-column", varint(1) + zone(0, 3, 3, 0, LOW, HIGH))


@bad("7.5-C3-list")
def _():
    f = Forge(DDL)
    columns = sound(3)
    f.group(3, [columns[c] for c in WIDE])
    f.commit(sections=section(2, varint(1) + zone(0, WIDE.index("l"), 3, 0, LOW, HIGH)))
    return f


def moved(*offsets):
    return section(5, varint(1) + b"\1a" + varint(offsets[0]), 2)


@bad("7.6-C1-backwards")
def _():
    f = Forge()
    for off in (5, 4):
        f.group(2, rows(f))
        f.commit(sections=moved(off))
    append(f)
    return f


def index_sources(name, body):
    @bad(name)
    def _():
        f = Forge()
        f.group(2, rows(f))
        f.commit(sections=moved(5))
        f.index(sections=section(5, body, 2))
        append(f)
        return f


index_sources("7.6-C2-ahead", varint(1) + b"\1a\6")
index_sources("7.6-C2-another", varint(2) + b"\1a\5\1b\1")
index_sources("7.6-C2-none", varint(0))


def hashed(*frames):
    return blake2b(b"".join(frames))


def filtered(name, payload, column=0, group=0, digest=None, before=False):
    """A group and its filter, hashed as it should be unless `digest` is given."""
    def middle(f):
        at = None
        if before:  # behind another group
            f.group(2, rows(f))
            at = f.frame(8, payload)
        f.group(2, rows(f))
        at = f.frame(8, payload) if at is None else at
        end = f.groups[-1]["off"] if before else len(f.data)
        own = hashed(f.data[at:end])
        f.commit(sections=section(7, (own if digest is None else digest) +
                                  fr.FILTER_REF.pack(at, group, column, 1)))
    lie(name, middle)


filtered("7.8-C1-no-value", bytes(32))
filtered("7.9-C1-hash", b"\xff" * 32, digest=bytes(32))
filtered("7.9-C2-of-the-next-group", b"\xff" * 32, group=1, before=True)
filtered("7.9-C3-column", b"\xff" * 32, column=3)


@bad("7.10-C1-hash")
def _():
    def middle(f):
        f.group(2, rows(f))
        at = f.frame(fr.ROLLUP, b"not looked at by a reader of rows")
        f.commit(sections=section(6, bytes(32) + fr.ROLLUP_REF.pack(VIEW, at, 1, bytes(4))))
    return around(middle)




@bad("8.3-C1-not-folded")
def _():
    """64 commits that the INDEX before stands for are listed again."""
    f = Forge()
    for _ in range(2):
        append(f)
    f.index()
    append(f)
    f.index(refs=f.level0(), prev_off=0, prev_len=0)
    append(f)
    return f
