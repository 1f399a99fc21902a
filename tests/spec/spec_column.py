"""Section 6 of spec/segment.md: how one column of one group becomes bytes, the other way round.

Written from the specification alone and kept apart from the C code on purpose: it is the second
reader that the first one is compared with. Plain Python, no speed.

A shape is a tuple: ("INT", w), ("FLOAT", w), ("FIXED", w), ("BYTES",), ("LIST", shape) or ("MAP",
shape of keys, shape of values). Values of INT are unsigned numbers of w bytes, of FLOAT the bit
patterns, of FIXED and BYTES bytes, of LIST lists, of MAP lists of pairs. None is null.
"""

import datetime
import struct

KINDS = {
    1: "PLAIN", 2: "CONST", 3: "DICT", 4: "RUNS", 5: "PACKED", 6: "PATCHED", 7: "DELTA",
    8: "DELTA2", 9: "SCALED", 10: "PLANES", 11: "DECIMAL", 12: "UUID", 13: "UUID_TEXT",
    14: "HEX_TEXT", 15: "INT_TEXT", 16: "TIME_TEXT", 17: "AFFIX", 18: "RECENT", 19: "BLOCKS",
    20: "TEMPLATE",
}
ALLOWED = {
    "INT": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 19},
    "FLOAT": {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 18, 19},
    "FIXED": {1, 2, 3, 10, 12},
    "BYTES": {1, 2, 3, 13, 14, 15, 16, 17, 20},
}
MAX_DEPTH = 8
MAX_NESTING = 8
MAX_BYTES = 0x7FFF0000
OWN_LIMIT = 1 << 26  # values of one node that this reader is willing to hold (6.1-6)

census = {}  # (shape name, kind name) -> nodes met, for --census


class Broken(Exception):
    """A rule that the bytes break. `version`: sound, but a newer format (E_VERSION)."""

    def __init__(self, rule, what, version=False):
        super().__init__(f"{rule} {what}")
        self.rule = rule
        self.version = version


class TooBig(Exception):
    """The reader's own limit, not the file's fault (6.1-6)."""


def need(ok, rule, what):
    if not ok:
        raise Broken(rule, what)


def know(ok, rule, what):
    if not ok:
        raise Broken(rule, what, version=True)


class Cursor:
    """Bytes still to be read."""

    def __init__(self, data, pos=0, end=None):
        self.data, self.pos, self.end = data, pos, len(data) if end is None else end

    def left(self):
        return self.end - self.pos

    def take(self, n, rule, what="cut short"):
        need(n <= self.left(), rule, what)
        self.pos += n
        return bytes(self.data[self.pos - n:self.pos])

    def u8(self, rule, what="cut short"):
        return self.take(1, rule, what)[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8("1.2-1", "varint cut off")
            need(shift < 63 or byte <= 1, "1.2-3", "varint of more than 64 bits")
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(byte or not shift, "1.2-2", "varint longer than its shortest form")
                return value
            shift += 7


def unzigzag(v, w):
    return (v >> 1 ^ -(v & 1)) & mask(w)


def mask(w):
    return (1 << 8 * w) - 1


def signed(v, w):
    return v - (1 << 8 * w) if v >> 8 * w - 1 else v


def number(cur, w, rule):
    v = cur.varint()
    need(v <= mask(w), rule, "number out of range")
    return unzigzag(v, w)


def count(kind, shape, n):
    key = (shape, kind)
    census[key] = census.get(key, 0) + 1
    if n > OWN_LIMIT:
        raise TooBig(f"{n} values in one node")


def bits(cur, n, b):
    """n values of b bits, low bits first (6.3)."""
    raw = cur.take((n * b + 7) // 8, "6.3-4", "bits cut short")
    whole = int.from_bytes(raw, "little")
    need(not whole >> n * b, "6.3-5", "bits behind the last value")
    if n * b <= 1 << 14:
        return [whole >> i * b & (1 << b) - 1 for i in range(n)]
    out, step = [], 1024  # bit strings of big integers cost their square otherwise
    for at in range(0, n, step):
        part = Cursor(raw, at * b // 8, min(len(raw), (at + step) * b // 8 + 1))
        some = min(step, n - at)
        piece = int.from_bytes(part.take((some * b + 7) // 8, "6.3-4"), "little")
        out += [piece >> i * b & (1 << b) - 1 for i in range(some)]
    return out


def codes(cur, n, d, depth):
    w = 1 if d <= 256 else 2 if d <= 65536 else 4
    out = node(cur, ("INT", w), n, depth)
    need(all(c < d for c in out), "6.3-16", "code out of range")
    return out


def places(cur, p, n, depth, rule):
    out = node(cur, ("INT", 4), p, depth)
    need(all(a < b for a, b in zip(out, out[1:])) and out[-1] < n, rule, "places out of order")
    return out


def node(cur, shape, n, depth):
    """The n values of a node; `depth` is 1 for a first one."""
    kind = cur.u8("6.1-1", "ends before its kind")
    know(kind in ALLOWED[shape[0]], "6.1-2", f"node kind {kind} for {shape[0]}")
    know(kind != 12 or shape[1] == 16, "6.1-2", "UUID of another width")
    need(depth <= MAX_DEPTH, "6.1-3", "nodes too deep")
    count(KINDS[kind], shape[0], n)
    if shape[0] == "FLOAT":
        if kind == 11:
            return decimal_node(cur, shape[1], n, depth)
        return int_node(cur, kind, shape[1], n, depth)
    if shape[0] == "INT":
        return int_node(cur, kind, shape[1], n, depth)
    if shape[0] == "FIXED":
        return fixed_node(cur, kind, shape[1], n, depth)
    return bytes_node(cur, kind, n, depth)


# ---- 6.3 ----------------------------------------------------------------------------------------


def int_node(cur, kind, w, n, depth):
    m = mask(w)

    def child(count_, width=w):
        return node(cur, ("INT", width), count_, depth + 1)

    if kind == 1:
        raw = cur.take(n * w, "6.3-1", "PLAIN cut short")
        return [int.from_bytes(raw[i:i + w], "little") for i in range(0, n * w, w)]
    if kind == 2:
        return [number(cur, w, "6.3-2")] * n
    if kind == 3:
        d = cur.varint()
        need(1 <= d <= n, "6.3-15", "number of distinct values")
        values = child(d)
        return [values[c] for c in codes(cur, n, d, depth + 1)]
    if kind == 4:
        r = cur.varint()
        need(1 <= r <= n, "6.3-13", "number of runs")
        values, lengths = child(r), child(r, 4)
        need(all(lengths) and sum(lengths) == n, "6.3-14", "lengths of runs")
        return [v for v, k in zip(values, lengths) for _ in range(k)]
    if kind in (5, 6):
        base, b = number(cur, w, "6.3-3"), cur.u8("6.3-3")
        need(1 <= b <= 8 * w - (kind == 6), "6.3-3", "width out of range")
        if kind == 5:
            return [base + v & m for v in bits(cur, n, b)]
        p = cur.varint()
        need(1 <= p <= n, "6.3-6", "number of patches")
        out = bits(cur, n, b)
        at = places(cur, p, n, depth + 1, "6.3-7")
        for i, high in zip(at, child(p)):
            out[i] += high << b
        return [base + v & m for v in out]
    if kind == 19:
        base = number(cur, w, "6.3-3")
        out = []
        for i, b in enumerate(child((n + 127) // 128, 1)):
            need(b <= 8 * w, "6.3-3", "width out of range")
            out += bits(cur, min(128, n - 128 * i), b)
        return [base + v & m for v in out]
    if kind == 7:
        z = cur.u8("6.3-10")
        need(n >= 2 and z <= 1, "6.3-10", "DELTA")
        out = [number(cur, w, "6.3-10")]
        for d in child(n - 1):
            out.append(out[-1] + (unzigzag(d, w) if z else d) & m)
        return out
    if kind == 8:
        need(n >= 3, "6.3-11", "DELTA2 of fewer than 3 values")
        first, step = number(cur, w, "6.3-11"), number(cur, w, "6.3-11")
        out = [first, first + step & m]
        for d in child(n - 2):
            step += unzigzag(d, w)
            out.append(out[-1] + step & m)
        return out
    if kind == 9:
        base, g = number(cur, w, "6.3-12"), cur.varint()
        need(2 <= g <= m, "6.3-12", "factor out of range")
        return [base + v * g & m for v in child(n)]
    if kind == 10:
        base, k = number(cur, w, "6.3-8"), cur.u8("6.3-8")
        need(1 <= k <= w, "6.3-8", "number of planes")
        planes = [cur.take(n, "6.3-9", "PLANES cut short") for _ in range(k)]
        return [base + int.from_bytes(bytes(v), "little") & m for v in zip(*planes)]
    out, following = [], 0  # RECENT
    for c in child(n):
        need(c <= following, "6.3-17", "RECENT looks back too far")
        out.append(following - c)
        following += not c
    return out


# ---- 6.4 ----------------------------------------------------------------------------------------


def decimal_node(cur, w, n, depth):
    head = cur.u8("6.4-1")
    e = head & 31
    need(not head & 0x80 and (e <= 18 or e == 31), "6.4-1", "DECIMAL head")
    exponents = [e]
    if e == 31:
        exponents = node(cur, ("INT", 1), (n + 63) // 64, depth + 1)
        need(max(exponents) <= 18, "6.4-2", "exponent above 18")
    digits = node(cur, ("INT", 8), n, depth + 1)
    out = []
    for i, v in enumerate(digits):
        value = float(signed(v, 8)) / float(10 ** exponents[i // 64 if e == 31 else 0])
        out.append(double_bits(value) if w == 8 else single_bits(value))
    if head & 0x20:
        for i, u in enumerate(node(cur, ("INT", 1), n, depth + 1)):
            out[i] = out[i] + signed(u, 1) & mask(w)
    if head & 0x40:
        x = cur.varint()
        need(1 <= x <= n, "6.4-3", "number of exceptions")
        at = places(cur, x, n, depth + 1, "6.4-4")
        for i, v in zip(at, node(cur, ("INT", w), x, depth + 1)):
            out[i] = v
    return out


def double_bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def single_bits(value):
    try:
        return struct.unpack("<I", struct.pack("<f", value))[0]
    except OverflowError:
        return 0xFF800000 if value < 0 else 0x7F800000


# ---- 6.5 ----------------------------------------------------------------------------------------


def fixed_node(cur, kind, w, n, depth):
    if kind == 1:
        raw = cur.take(n * w, "6.3-1", "PLAIN cut short")
        return [raw[i:i + w] for i in range(0, n * w, w)]
    if kind == 2:
        return [cur.take(w, "6.3-1", "CONST cut short")] * n
    if kind == 3:
        d = cur.varint()
        need(1 <= d <= n, "6.3-15", "number of distinct values")
        values = node(cur, ("FIXED", w), d, depth + 1)
        return [values[c] for c in codes(cur, n, d, depth + 1)]
    if kind == 10:
        raw = cur.take(n * w, "6.3-1", "PLANES cut short")
        return [raw[i::n] for i in range(n)]
    return uuid_node(cur, n, depth)


def uuid_node(cur, n, depth):
    form = cur.u8("6.5-1")
    need(form & 15 and not form & 0x70, "6.5-1", "form of UUIDs")
    times = node(cur, ("INT", 8), n, depth + 1) if form & 0x80 else None
    need(times is None or max(times) < 1 << 48, "6.5-2", "time of a UUID")
    size = 9 if times else 15
    records = cur.take(n * size, "6.5-3", "records cut short")
    raw = cur.take((n + 3) // 4, "6.5-3", "bits cut short")
    whole = int.from_bytes(raw, "little")
    need(not whole >> 2 * n, "6.3-5", "bits behind the last value")
    out = []
    for i in range(n):
        record = records[i * size:(i + 1) * size]
        start = times[i].to_bytes(6, "big") if times else record[:6]
        rest = record if times else record[6:]
        v6 = (form & 15) << 4 | rest[0] >> 4
        v8 = 0x80 | (whole >> 2 * i & 3) << 4 | rest[0] & 15
        out.append(start + bytes((v6, rest[1], v8)) + rest[2:])
    return out


# ---- 6.6 ----------------------------------------------------------------------------------------


def split(cur, lengths):
    need(sum(lengths) <= MAX_BYTES, "6.1-7", "too many bytes in a column")
    need(sum(lengths) <= cur.left(), "6.6-1", "bytes cut short")
    return [cur.take(k, "6.6-1") for k in lengths]


def bytes_node(cur, kind, n, depth):
    if kind == 1:
        return split(cur, node(cur, ("INT", 4), n, depth + 1))
    if kind == 2:
        size = cur.varint()
        need(size <= cur.left(), "6.6-2", "CONST cut short")
        need(size * n <= MAX_BYTES, "6.1-7", "too many bytes in a column")
        return [cur.take(size, "6.6-2")] * n
    if kind == 3:
        d = cur.varint()
        need(1 <= d <= n, "6.3-15", "number of distinct values")
        values = node(cur, ("BYTES",), d, depth + 1)
        return [values[c] for c in codes(cur, n, d, depth + 1)]
    if kind == 13:
        return [uuid_text(v) for v in node(cur, ("FIXED", 16), n, depth + 1)]
    if kind == 14:
        return [v.hex().encode() for v in split(cur, node(cur, ("INT", 4), n, depth + 1))]
    if kind == 15:
        return [b"%d" % signed(v, 8) for v in node(cur, ("INT", 8), n, depth + 1)]
    if kind == 16:
        return time_text_node(cur, n, depth)
    if kind == 20:
        return template_node(cur, n, depth)
    p, s = cur.u8("6.6-3"), cur.u8("6.6-3")
    prefix, suffix = cur.take(p, "6.6-3"), cur.take(s, "6.6-3")
    return [prefix + v + suffix for v in node(cur, ("BYTES",), n, depth + 1)]


def template_node(cur, n, depth):
    t, c = cur.varint(), 0
    need(1 <= t <= n, "6.6-6", "number of templates")
    c = cur.varint()
    need(c <= 65535, "6.6-6", "number of columns")
    templates = []
    for _ in range(t):
        gaps = cur.varint()
        need(gaps <= 65535 and gaps <= cur.left(), "6.6-7", "template cut short")
        literals, columns = [cur.take(cur.varint(), "6.6-7")], []
        for _ in range(gaps):
            columns.append(cur.varint())
            need(columns[-1] < c, "6.6-8", "column of a gap")
            literals.append(cur.take(cur.varint(), "6.6-7"))
        templates.append((literals, columns))
    chosen = codes(cur, n, t, depth + 1)
    sizes, total = [0] * c, 0
    for code in chosen:
        total += len(templates[code][1])
        need(total <= MAX_BYTES, "6.1-7", "values of all columns")
        for k in templates[code][1]:
            sizes[k] += 1
    need(all(sizes), "6.6-9", "column without values")
    values = [iter(node(cur, ("BYTES",), size, depth + 1)) for size in sizes]
    out = []
    for code in chosen:
        literals, columns = templates[code]
        text = literals[0]
        for k, literal in zip(columns, literals[1:]):
            text += next(values[k]) + literal
        out.append(text)
    need(sum(map(len, out)) <= MAX_BYTES, "6.1-7", "too many bytes in a column")
    return out


def uuid_text(v):
    h = v.hex()
    return "-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:])).encode()


def date_text(days):
    """YYYY-MM-DD in the proleptic Gregorian calendar, years 0 to 9999; Python has no year 0."""
    if days < -719162:
        # 400 years later the calendar is the same.
        leap = datetime.date.fromordinal(days + 719163 + 146097)
        return "%04d-%02d-%02d" % (leap.year - 400, leap.month, leap.day)
    day = datetime.date.fromordinal(days + 719163)
    return "%04d-%02d-%02d" % (day.year, day.month, day.day)


MIN_DAY, MAX_DAY = -719528, 2932896  # 0000-01-01 and 9999-12-31


def time_text_node(cur, n, depth):
    separator, digits, s = cur.u8("6.6-4"), cur.u8("6.6-4"), cur.u8("6.6-4")
    need(separator in b"\0T " and digits <= (9 if separator else 0) and s <= 8, "6.6-4",
         "TIME_TEXT")
    suffix = cur.take(s, "6.6-1")
    out = []
    for v in node(cur, ("INT", 8), n, depth + 1):
        ticks = signed(v, 8)
        seconds, fraction = divmod(ticks, 10 ** digits)
        days, seconds = (ticks, 0) if not separator else divmod(seconds, 86400)
        need(MIN_DAY <= days <= MAX_DAY, "6.6-5", "ticks outside the years 0000 to 9999")
        text = date_text(days)
        if separator:
            text += "%c%02d:%02d:%02d" % (separator, seconds // 3600, seconds // 60 % 60,
                                          seconds % 60)
        if digits:
            text += ".%0*d" % (digits, fraction)
        out.append(text.encode() + suffix)
    return out


# ---- 6.1, 6.2, 6.7 ------------------------------------------------------------------------------


def validity(cur, rows, nulls):
    kind = cur.u8("6.1-1", "ends before its kind")
    know(kind in (1, 2), "6.2-1", f"validity kind {kind}")
    count("BITMAP" if kind == 1 else "RUNS", "VALIDITY", rows)
    if kind == 1:
        raw = cur.take((rows + 7) // 8, "6.2-4", "bitmap cut short")
        need(not int.from_bytes(raw, "little") >> rows, "6.3-5", "bits behind the last row")
        out = [bool(raw[i >> 3] >> (i & 7) & 1) for i in range(rows)]
    else:
        first, runs = cur.u8("6.2-2"), cur.varint()
        need(first <= 1 and 1 <= runs <= rows, "6.2-2", "runs of validity")
        lengths = node(cur, ("INT", 4), runs, 2)
        need(all(lengths) and sum(lengths) == rows, "6.2-3", "lengths of validity")
        out = [bool((i + first) & 1) for i, k in enumerate(lengths) for _ in range(k)]
    need(out.count(False) == nulls, "6.2-5", "another number of nulls")
    return out


def column(cur, shape, rows, nulls, nesting=0):
    """The rows of a column, None where null."""
    need(rows and nulls <= rows, "6.2-6", "more nulls than rows, or no rows")
    if nulls == rows:
        return [None] * rows
    valid = validity(cur, rows, nulls) if nulls else None
    n = rows - nulls
    if shape[0] in ("LIST", "MAP"):
        values = nested(cur, shape, n, nesting + 1)
    else:
        values = node(cur, shape, n, 1)
        if shape[0] == "BYTES":
            need(sum(map(len, values)) <= MAX_BYTES, "6.1-7", "too many bytes in a column")
    if not nulls:
        return values
    following = iter(values)
    return [next(following) if ok else None for ok in valid]


def nested(cur, shape, n, nesting):
    need(nesting <= MAX_NESTING, "6.7-2", "lists and maps too deep")
    count(shape[0], shape[0], n)
    lengths = node(cur, ("INT", 4), n, 1)
    total = sum(lengths)
    need(total <= MAX_BYTES, "6.1-7", "too many elements in a column")
    parts = []
    for child in shape[1:]:
        if not total:
            parts.append([])
            continue
        nulls = cur.varint()
        need(nulls <= total, "6.7-1", "more null elements than elements")
        need(shape[0] == "LIST" or parts or not nulls, "6.7-3", "null keys")
        parts.append(column(cur, child, total, nulls, nesting))
    elements = parts[0] if shape[0] == "LIST" else list(zip(*parts))
    out, at = [], 0
    for k in lengths:
        out.append(elements[at:at + k])
        at += k
    return out
