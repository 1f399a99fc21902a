"""Forged files that every reader must read: corpus/good/forged-*.evs hold what no writer of 1.0
writes, every kind of node for every shape above all; corpus/crash/forged-*.evs what a power cut may
leave. forge_corpus.py writes them.
"""

import struct

import spec_frames as fr
from forge import CREATED, Forge, bits, number, plain, section, texts, varint, zstd
from forge_bad import DDL, LOW, ONE, WIDE, append, rows, sound, zone

GOOD, CRASH = {}, {}


def good(make):
    GOOD["forged-" + make.__name__.replace("_", "-")] = make
    return make


def crash(make):
    CRASH["forged-" + make.__name__.replace("_", "-")] = make
    return make


@good
def spare():
    """Whatever is marked "ignore" and is not known."""
    f = Forge(minor=7, ignore_features=(1 << 64) - 1)
    append(f)
    f.frame(200, b"a frame of a later minor version", 3)
    f.frame(fr.ROLLUP, b"a rollup, which this version need not know", 8)
    f.group(2, rows(f))
    f.frame(201, b"", 0)
    f.commit(sections=section(3, b"keys") + section(4, b"filters!") + section(6, b"") +
             section(77, b"later"))
    append(f)
    return f


@good
def sections():
    """A commit without rows that moves a source; zones without bounds; an INDEX with sources."""
    f = Forge()
    append(f)
    f.commit(sections=section(5, varint(1) + b"\3abc" + varint(1 << 40), 2), time_min=fr.NO_TIME,
             time_max=fr.NO_TIME)
    f.index(sections=section(5, varint(2) + b"\3abc" + varint(1 << 40) + b"\3abd\0", 2) +
            section(900, b"later"))
    f.group(2, rows(f))
    f.commit(sections=section(2, varint(2) + zone(0, 0, 1, 0, LOW) + zone(0, 1, 0, 2)))
    return f


@good
def schemas():
    """A SCHEMA that is stored compressed, behind one that was never used."""
    f = Forge()
    append(f)
    text = b"CREATE TABLE t (n UInt32, later String) ENGINE = MergeTree; --" + b" " * 300
    f.new_schema(b"CREATE TABLE t (n UInt32, unused String) ENGINE = MergeTree;")
    f.new_schema(text, stored=zstd(text))
    f.group(1, [(0, plain(4, 7)), (0, texts(b"here")), (0, texts(b'{"x":1}')),
                (0, plain(8, CREATED))])
    f.commit()
    return f


def nodes(n, lists):
    """A file with groups of n rows each; the bytes of column c are those of lists[c], in turn."""
    f = Forge(DDL)
    for k in range(max(map(len, lists.values()))):
        columns = sound(n)
        for name, choices in lists.items():
            nulls, data = choices[k % len(choices)]
            columns[name] = nulls, data
        f.group(n, [columns[c] for c in WIDE], packed=k % 2 == 0, codec=k % 3 == 1)
        f.commit()
    return f


def int_nodes(w):
    """Every kind of INT(w) node, for 5 values."""
    top = (1 << 8 * w) - 1
    return [(0, d) for d in (
        plain(w, 0, 1, -1, top, 7), b"\2" + number(-1),
        b"\3\2" + plain(w, 9, -9) + plain(1, 0, 1, 1, 0, 1),
        b"\4\2" + plain(w, 5, -5) + plain(4, 4, 1),
        b"\5" + number(-3) + bytes((8 * w,)) + plain(w, 0, 1, 2, top, 5)[1:],
        b"\5" + number(100) + b"\3" + bits(3, 7, 0, 1, 2, 3),
        b"\6" + number(0) + b"\2\2" + bits(2, 3, 2, 1, 0, 3) + plain(4, 0, 4) + plain(w, 1, 31),
        b"\7\0" + number(10) + plain(w, 1, -1, 2, -2), b"\7\1" + number(-10) + plain(w, 1, 2, 3, 4),
        b"\x08" + number(3) + number(-4) + plain(w, 1, 2, top),
        b"\x09" + number(-7) + b"\3" + plain(w, 0, 1, 2, 3, 40),
        b"\x0a" + number(1) + bytes((w,)) + bytes(range(5 * w)),
        b"\x0a" + number(-1) + b"\1" + bytes(range(5)),
        b"\x12" + plain(w, 0, 0, 1, 2, 0),
        b"\x13" + number(5) + plain(1, 4) + bits(4, 15, 0, 1, 2, 3),
        b"\x13" + number(5) + plain(1, 0))]


@good
def nodes_of_int():
    return nodes(5, {"b": int_nodes(1), "i": int_nodes(4), "w": int_nodes(8)})


@good
def nodes_of_float():
    """DECIMAL, and bit patterns of numbers in every kind of INT node."""
    keep = [(0, d) for d in (
        b"\1" + ONE * 5, b"\2" + number(0x3FF0000000000000),
        b"\3\2" + b"\1" + ONE * 2 + plain(1, 0, 1, 1, 0, 1),
        b"\4\2" + plain(8, 0x3FF0000000000000, 0x4000000000000000) + plain(4, 4, 1),
        b"\5" + number(0x3FF0000000000000) + b"\3" + bits(3, 7, 0, 1, 2, 3),
        b"\6" + number(0) + b"\2\2" + bits(2, 3, 2, 1, 0, 3) + plain(4, 0, 4) + plain(8, 1, 31),
        b"\7\0" + number(10) + plain(8, 1, -1, 2, -2),
        b"\7\1" + number(0x3FF0000000000000) + plain(8, 1, 2, 3, 4),
        b"\x08" + number(1000) + number(-4) + plain(8, 1, 2, 3),
        b"\x09" + number(7) + b"\3" + plain(8, 0, 1, 2, 3, 40),
        b"\x0a" + number(1) + b"\2" + bytes(range(10)), b"\x12" + plain(8, 0, 0, 1, 2, 0),
        b"\x13" + number(5) + plain(1, 4) + bits(4, 15, 0, 1, 2, 3),
        b"\x0b\2" + plain(8, 1, -25, 150, 0, 99999),
        b"\x0b\x1f" + plain(1, 3) + plain(8, 1, -25, 150, 0, 99999),
        b"\x0b\x21" + plain(8, 1, 2, 3, 4, 5) + plain(1, 0, 1, -1, 127, -128),
        b"\x0b\x42" + plain(8, 1, 2, 3, 4, 5) + b"\2" + plain(4, 0, 4) +
        plain(8, 1 << 63, 0x7FEFFFFFFFFFFFFF),
        b"\x0b\x72" + plain(8, 1, 2, 3, 4, 5) + plain(1, 1, 1, 1, 1, 1) + b"\1" + plain(4, 2) +
        plain(8, 5))]
    singles = [(0, b"\1" + struct.pack("<5f", 1, -2, .5, 3e38, 1e-45)),
               (0, b"\x0b\1" + plain(8, 1, 2, 3, -4, 16777217)),
               (0, b"\x0b\x61" + plain(8, 1, 2, 3, 4, 5) + plain(1, 0, 1, -1, 5, -5) + b"\1" +
                plain(4, 1) + plain(4, 0x80000000)),
               (0, b"\7\0" + number(0x3F800000) + plain(4, 1, -1, 2, -2))]
    return nodes(5, {"f": keep, "g": singles})


@good
def nodes_of_fixed():
    v = bytes(range(80))
    four = b"".join(bytes((i,)) * 15 for i in (1, 0x22, 0x83, 0x44, 0xF5))
    return nodes(5, {"u": [
        (0, b"\1" + v), (0, b"\2" + v[:16]), (0, b"\3\2\1" + v[:32] + plain(1, 1, 0, 1, 1, 0)),
        (0, b"\3\2\x0a" + v[:32] + b"\2" + number(1)), (0, b"\x0a" + v),
        (0, b"\x0c\4" + four + bits(2, 0, 1, 2, 3, 1)),
        (0, b"\x0c\x87" + plain(8, 0, 1, 1 << 47, (1 << 48) - 1, 5) + four[:45] +
         bits(2, 3, 2, 1, 0, 1)),
        (2, b"\1\x15" + b"\1" + v[:48]),
        (3, b"\2\0\3" + plain(4, 2, 2, 1) + b"\x0c\x0f" + four[:30] + bits(2, 3, 2))]})


@good
def nodes_of_bytes():
    v = bytes(range(80))
    return nodes(5, {"s": [
        (0, texts(b"", b"a", b"bb", b"", b"ccc")), (0, b"\2\0"), (0, b"\2\3abc"),
        (0, b"\3\2" + texts(b"x", b"") + plain(1, 0, 1, 1, 0, 1)),
        (0, b"\3\2\3\1\2\1x\2\0" + plain(1, 0, 1, 1, 0, 1)),
        (0, b"\x0d\1" + v), (0, b"\x0d\x0a" + v),
        (0, b"\x0e" + plain(4, 0, 1, 2, 3, 0) + b"\0\1\xff\x80\x7f\x0a"),
        (0, b"\x0f" + plain(8, 0, -1, 1 << 62, -(1 << 63), 10)),
        (0, b"\x10\0\0\0" + plain(8, 0, -1, 19782, -719528, 2932896)),
        (0, b"\x10\0\0\1z" + plain(8, 0, -1, 19782, 59, 60)),
        (0, b"\x10T\0\1Z" + plain(8, 0, -1, 86399, -62167219200, 253402300799)),
        (0, b"\x10 \3\6+00:00" + plain(8, 0, -1, 86399999, -62167219200000, 253402300799999)),
        (0, b"\x10T\x09\0" + plain(8, 0, -1, 1, -(1 << 63), (1 << 63) - 1)),
        (0, b"\x11\3\2pre!!" + texts(b"", b"a", b"bb", b"", b"ccc")),
        (0, b"\x11\0\0" + b"\x11\0\1~" + b"\x0f" + b"\2" + number(-5)),
        (4, b"\1\x08" + texts(b"only"))]})


@good
def nodes_deep():
    """Eight nodes inside each other, lists of eight levels, nulls in all of them."""
    f = Forge(b"CREATE TABLE t (i UInt32, "
              b"a %sNullable(UInt8)%s) ENGINE = MergeTree;" % (b"Array(" * 8, b")" * 8))
    f.group(3, [(0, b"\x09\0\2" * 7 + plain(4, 1, 2, 3)),
                (1, b"\1\5" + plain(4, 1, 1) + b"\0" + (plain(4, 1, 1) + b"\0") * 6 +
                 plain(4, 2, 0) + b"\1\1\2" + plain(1, 9)),
                None, (0, plain(8, *[CREATED] * 3))])
    f.commit()
    f.group(2, [(0, plain(4, 1, 2)), (0, b"\2\0"), (0, texts(b"{}", b'{"b":[]}')),
                (0, plain(8, CREATED, CREATED))])
    f.commit()
    return f


WORDS = b"you are an expert; be concise; the quick brown fox jumps over the lazy dog; error 0x80070005"
TEXT_DDL = b"CREATE TABLE t (s String, r String) ENGINE = MergeTree;"


def prompts(f, a, b, given, codec=0):
    n = len(a)
    f.group(n, [(0, texts(*a)), (0, texts(*b)), None, (0, plain(8, *[CREATED] * n))],
            packed=False,
            codec=codec,
            dictionaries=given)


@good
def dictionaries():
    """Two dictionaries, blocks with them and without, in two appends; one that nobody uses."""
    f = Forge(TEXT_DDL)
    first, second = f.dictionary(WORDS), f.dictionary(b"thank you for your question: " * 9)
    prompts(f, [b"you are an expert", b"the quick brown fox jumps"], [b"no", b"thank you for your"],
            {0: first, 1: second})
    prompts(f, [b"an error 0x80070005 of " + bytes(range(32, 127)) * 2], [b"thank you for"],
            {0: first})
    f.commit()
    third = f.dictionary(b"\x37\xa4\x30\xec, which is no header of a raw prefix")
    f.dictionary(b"x")
    prompts(f, [b"be concise; the quick", b""], [b"header of a raw prefix", b"no"],
            {0: first, 1: third})
    prompts(f, [b"plain"], [b"as it is"], {}, codec=1)
    f.commit()
    more = [f.dictionary(WORDS + b" %d" % i) for i in range(6)]  # than a reader keeps
    for i in range(9):
        prompts(f, [b"lazy dog; error 0x80070005 %d" % (i % 6)], [b"no"], {0: more[i % 6]})
    f.commit()
    return f


# ---- crash --------------------------------------------------------------------------------------


def lost(f, kind):
    """Of the last frame of that type, the bytes up to the end of its sector are zero."""
    at = f.data.rindex(fr.MAGIC + bytes((kind,)))
    end = at // 512 * 512 + 512
    f.data[at:end] = bytes(end - at)
    return f


@crash
def lost_schema():
    """A sector of the newest append never reached the disk, and held its SCHEMA."""
    f = Forge()
    append(f)
    f.new_schema(b"CREATE TABLE t (n UInt32, s String) ENGINE = MergeTree; --" + b" and so on" * 40)
    f.group(2, [(0, plain(4, 7, 8)), (0, texts(b"a", b"b")), None, (0, plain(8, CREATED, CREATED))])
    f.commit()
    return lost(f, fr.SCHEMA)


@crash
def damaged_first_commit():
    """The first commit came by a rename: its COMMIT was not torn, whatever it looks like."""
    f = Forge()
    append(f)
    return lost(f, fr.COMMIT)


@crash
def lost_index():
    """The same of the INDEX."""
    f = Forge()
    for _ in range(10):
        append(f)
    f.index()
    append(f)
    return lost(f, fr.INDEX)


@crash
def lost_group_before_foreign_commit():
    """An append's group never reached the disk, and its COMMIT continues another commit than the
    one in front of it: torn is what it is, however it is come to."""
    f = Forge()
    append(f)
    f.group(2, [(0, plain(4, 7, 8)), (0, texts(b"a" * 300, b"b" * 300)),
                (0, plain(8, CREATED, CREATED))])
    f.commit(prev_hash=b"\1" * 32)
    return lost(f, fr.GROUP)


@crash
def left_over_group_with_zeros():
    """The newest append's group is one that was there before it: sound, of another number, and with
    a sector that is zero."""
    f = Forge()
    append(f)
    f.group(2, [(0, plain(4, 7, 8)), (0, texts(b"a", bytes(1100))), None,
                (0, plain(8, CREATED, CREATED))], frame_append=1)
    f.commit()
    return f
