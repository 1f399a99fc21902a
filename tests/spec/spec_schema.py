"""The schema text of a segment (spec/schema.md): columns with their types from CREATE TABLE in either
dialect, and values as evcat prints them. Only what a reader needs: checks, defaults and keys are passed over.
"""

import ipaddress
import re
import struct

from spec_column import date_text, signed, uuid_text

TOKEN = re.compile(
    r"""\s+ | --[^\n]* | \#[^\n]* | /\*.*?\*/
      | (?P<text>'(?:[^'\\]|\\.|'')*')
      | (?P<quoted>"(?:[^"\\]|\\.|"")*" | `(?:[^`\\]|\\.|``)*`)
      | (?P<word>[^\W\d]\w*\$*)
      | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
      | (?P<sign>.)""", re.VERBOSE | re.DOTALL)

# Items of CREATE TABLE that are no columns.
NO_COLUMN = {"CONSTRAINT", "CHECK", "INDEX", "PRIMARY", "UNIQUE", "FOREIGN", "PROJECTION", "EXCLUDE", "KEY", "LIKE"}

SIMPLE = {
    "BOOL": ("BOOL",), "BOOLEAN": ("BOOL",),
    "INT1": ("INT", 1), "TINYINT": ("INT", 1), "INT2": ("INT", 2), "SMALLINT": ("INT", 2), "INT16": ("INT", 2),
    "INT": ("INT", 4), "INT4": ("INT", 4), "INTEGER": ("INT", 4), "INT32": ("INT", 4),
    "INT8": ("INT", 8), "BIGINT": ("INT", 8), "INT64": ("INT", 8),
    "SMALLSERIAL": ("INT", 2), "SERIAL2": ("INT", 2), "SERIAL": ("INT", 4), "SERIAL4": ("INT", 4),
    "BIGSERIAL": ("INT", 8), "SERIAL8": ("INT", 8),
    "UINT8": ("UINT", 1), "UINT16": ("UINT", 2), "UINT32": ("UINT", 4), "UINT64": ("UINT", 8),
    "FLOAT32": ("FLOAT", 4), "REAL": ("FLOAT", 4), "FLOAT4": ("FLOAT", 4),
    "FLOAT64": ("FLOAT", 8), "FLOAT8": ("FLOAT", 8), "DOUBLE": ("FLOAT", 8), "FLOAT": ("FLOAT", 8),
    "STRING": ("STRING",), "TEXT": ("STRING",), "VARCHAR": ("STRING",), "CHAR": ("STRING",),
    "CHARACTER": ("STRING",), "BPCHAR": ("STRING",), "INET": ("STRING",), "CIDR": ("STRING",),
    "UUID": ("UUID",), "DATE": ("DATE",), "DATE32": ("DATE",), "IPV4": ("IPV4",), "IPV6": ("IPV6",),
    "JSON": ("JSON",), "JSONB": ("JSON",), "OBJECT": ("JSON",),
}
SHAPES = {
    "BOOL": ("INT", 1), "STRING": ("BYTES",), "UUID": ("FIXED", 16), "DATE": ("INT", 4), "TIME": ("INT", 8),
    "ENUM": ("INT", 2), "JSON": ("BYTES",), "IPV4": ("INT", 4), "IPV6": ("FIXED", 16),
}


class Unreadable(Exception):
    """A schema text that this parser does not understand."""


def tokens(text):
    """(kind, text as it stands, start, end). Kinds: text, quoted, word, number, sign."""
    at = 0
    while at < len(text):
        m = TOKEN.match(text, at)
        if m.lastgroup:
            yield m.lastgroup, m.group(), m.start(), m.end()
        at = m.end()


class Tokens:
    def __init__(self, text):
        self.all, self.at = list(tokens(text)), 0

    def upper(self, ahead=0):
        """The next word in upper case, or the next sign; "" at the end and for what is quoted."""
        if self.at + ahead >= len(self.all):
            return ""
        kind, text = self.all[self.at + ahead][:2]
        return text.upper() if kind in ("word", "sign", "number") else ""

    def done(self):
        return self.at >= len(self.all)

    def next(self):
        if self.done():
            raise Unreadable("the schema ends too early")
        self.at += 1
        return self.all[self.at - 1]

    def take(self, word):
        if self.upper() != word:
            return False
        self.at += 1
        return True

    def expect(self, word):
        if not self.take(word):
            raise Unreadable(f"{word} expected at token {self.at}: {self.all[self.at:self.at + 3]}")

    def skip_item(self):
        """To the comma or parenthesis that ends this item of a list."""
        depth = 0
        while not self.done():
            sign = self.upper()
            if depth == 0 and sign in (",", ")"):
                return
            depth += (sign in ("(", "[")) - (sign in (")", "]"))
            self.at += 1


def unquote(text):
    quote = text[0]
    body = text[1:-1].replace(quote * 2, quote) if quote in "\"`'" else text
    if quote in "'\"`" and "\\" in body:
        body = re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f",
                                           "a": "\a", "v": "\v"}.get(m.group(1), m.group(1)), body, flags=re.S)
    return body


def table(text):
    """[(name, type)] of the declared columns, in order."""
    t = Tokens(text.decode())
    while not (t.upper() == "CREATE" and "TABLE" in (t.upper(1), t.upper(2))):
        t.next()
    while not t.take("("):
        t.next()
    out = []
    while True:
        kind, name = t.all[t.at][:2]
        if kind == "quoted" or name.upper() not in NO_COLUMN:
            t.next()
            out.append((unquote(name) if kind == "quoted" else name, column_type(t)))
        t.skip_item()
        if t.take(")"):
            return out
        t.expect(",")


def arguments(t):
    """( item, item ): each item a list of tokens; None when there are no parentheses."""
    if not t.take("("):
        return None
    out = []
    while not t.take(")"):
        start = t.at
        t.skip_item()
        out.append(t.all[start:t.at])
        t.take(",")
    return out


def column_type(t):
    kind = base_type(t)
    while t.upper() == "[":
        t.next()
        if t.upper() != "]":
            t.next()
        t.expect("]")
        kind = ("ARRAY", kind)
    return kind


def base_type(t):
    _, word, _, _ = t.next()
    name = word.upper()
    if name in ("NULLABLE", "LOWCARDINALITY", "ARRAY"):
        t.expect("(")
        inner = column_type(t)
        t.expect(")")
        return ("ARRAY", inner) if name == "ARRAY" else inner
    if name == "MAP":
        t.expect("(")
        column_type(t)
        t.expect(",")
        inner = column_type(t)
        t.expect(")")
        return "MAP", inner
    if name == "DOUBLE":
        t.take("PRECISION")
    if name == "CHARACTER":
        t.take("VARYING")
    args = arguments(t)
    if word == "Int8":
        return "INT", 1
    if name in ("ENUM", "ENUM8", "ENUM16"):
        return "ENUM", enum_items(args)
    numbers = [int(a[0][1]) for a in args or () if len(a) == 1 and a[0][0] == "number"]
    return parametric(t, name, numbers)


def parametric(t, name, numbers):
    if name in ("DECIMAL", "NUMERIC", "DEC"):
        return "DECIMAL", numbers[0], numbers[1] if len(numbers) > 1 else 0
    if name in ("DECIMAL32", "DECIMAL64", "DECIMAL128"):
        return "DECIMAL", {"32": 9, "64": 18, "128": 38}[name[7:]], numbers[0]
    if name == "FIXEDSTRING":
        return "FIXEDSTRING", numbers[0]
    if name == "DATETIME":
        return "TIME", numbers[0] if numbers else 0
    if name == "DATETIME64":
        return "TIME", numbers[0] if numbers else 3
    if name in ("TIMESTAMP", "TIMESTAMPTZ"):
        if t.upper() in ("WITH", "WITHOUT"):
            t.at += 3
        return "TIME", numbers[0] if numbers else 6
    if name == "FLOAT" and numbers:
        return "FLOAT", 4 if numbers[0] <= 24 else 8
    if t.upper() == "UNSIGNED" and SIMPLE.get(name, ("",))[0] == "INT":
        t.next()
        return "UINT", SIMPLE[name][1]
    if name not in SIMPLE:
        raise Unreadable(f"type {name}")
    return SIMPLE[name]


def enum_items(args):
    out, last = {}, 0
    for a in args:
        if len(a) > 1:
            last = int("".join(x[1] for x in a[2:]))
        else:
            last += 1
        out[last] = unquote(a[0][1])
    return out


EXTRA = "_extra", ("JSON",)
ARRIVAL = "_time", ("TIME", 9)


def columns(text, ncols):
    """All columns of a group with `ncols`: the declared ones, _extra, and _time when there is one more."""
    declared = table(text)
    hidden = [EXTRA, ARRIVAL][:ncols - len(declared)]
    if len(declared) + len(hidden) != ncols or not hidden:
        raise Unreadable(f"{ncols} columns in the group, {len(declared)} in its schema")
    return declared + hidden


def shape(kind):
    name = kind[0]
    if name in ("INT", "UINT"):
        return "INT", kind[1]
    if name == "FLOAT":
        return kind
    if name == "DECIMAL":
        return ("INT", 8) if kind[1] <= 18 else ("FIXED", 16)
    if name == "FIXEDSTRING":
        return "FIXED", kind[1]
    if name == "ARRAY":
        return "LIST", shape(kind[1])
    if name == "MAP":
        return "MAP", ("BYTES",), shape(kind[1])
    return SHAPES[name]


# ---- values ----------------------------------------------------------------------------------------

ESCAPES = {0x22: '\\"', 0x5C: "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
ESCAPES.update({i: "\\u%04x" % i for i in range(32) if i not in ESCAPES})


def quote(raw):
    return b'"' + raw.decode().translate(ESCAPES).encode() + b'"'


def float_text(bits, w):
    """The fewest digits that read back as the same number, without exponent from 1e-6 to below 1e21."""
    layout = ("<f", "<I") if w == 4 else ("<d", "<Q")
    value = struct.unpack(layout[0], struct.pack(layout[1], bits))[0]
    if value != value or value in (float("inf"), float("-inf")):
        return '"%s"' % ("nan" if value != value else "inf" if value > 0 else "-inf")
    for precision in range(17):
        text = "%.*e" % (precision, value)
        back = float(text)
        if w == 4:
            try:
                back = struct.unpack("<f", struct.pack("<f", back))[0]
            except OverflowError:
                continue
        if back == value:
            break
    sign = "-" if text[0] == "-" else ""
    digits, exponent = text.lstrip("-").split("e")
    digits, exponent = digits.replace(".", "").rstrip("0") or "0", int(exponent)
    if value == 0:
        return sign + "0"
    if -7 < exponent < 0:
        return sign + "0." + "0" * (-exponent - 1) + digits
    if 0 <= exponent < 21:
        whole = digits[:exponent + 1].ljust(exponent + 1, "0")
        return sign + whole + ("." + digits[exponent + 1:] if len(digits) > exponent + 1 else "")
    return sign + digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + "e%d" % exponent


def decimal_text(value, scale):
    sign, value = "-" * (value < 0), abs(value)
    whole, rest = divmod(value, 10 ** scale)
    return sign + str(whole) + (".%0*d" % (scale, rest) if scale else "")


def time_text(ticks, digits):
    seconds, fraction = divmod(ticks, 10 ** digits)
    days, seconds = divmod(seconds, 86400)
    text = "%sT%02d:%02d:%02d" % (date_text(days), seconds // 3600, seconds // 60 % 60, seconds % 60)
    return text + (".%0*d" % (digits, fraction) if digits else "") + "Z"


def value_text(v, kind):
    """A value as JSON."""
    if v is None:
        return b"null"
    name = kind[0]
    if name == "STRING":
        return quote(v)
    if name == "JSON":
        return v
    if name == "ARRAY":
        return b"[" + b",".join(value_text(e, kind[1]) for e in v) + b"]"
    if name == "MAP":
        return b"{" + b",".join(quote(k) + b":" + value_text(e, kind[1]) for k, e in v) + b"}"
    if name == "FIXEDSTRING":
        return quote(v.rstrip(b"\0"))
    return scalar_text(v, kind).encode()


def scalar_text(v, kind):
    name = kind[0]
    if name == "BOOL":
        return "true" if v else "false"
    if name == "INT":
        return str(signed(v, kind[1]))
    if name == "UINT":
        return str(v)
    if name == "FLOAT":
        return float_text(v, kind[1])
    if name == "DECIMAL":
        value = int.from_bytes(v, "little", signed=True) if kind[1] > 18 else signed(v, 8)
        return decimal_text(value, kind[2])
    if name == "UUID":
        return '"%s"' % uuid_text(v).decode()
    if name == "DATE":
        return '"%s"' % date_text(signed(v, 4))
    if name == "TIME":
        return '"%s"' % time_text(signed(v, 8), kind[1])
    if name == "ENUM":
        return quote(kind[1][signed(v, 2)].encode()).decode()
    if name == "IPV4":
        return '"%s"' % ipaddress.IPv4Address(v)
    return '"%s"' % ipaddress.IPv6Address(v)


# ---- a value under a later schema ------------------------------------------------------------------


def convert(v, old, new):
    """Widen a value of type `old` to type `new` (spec/schema.md, Changes)."""
    if v is None or old == new:
        return v
    a, b = old[0], new[0]
    if a in ("ARRAY", "MAP") and a == b:
        return [convert(e, old[1], new[1]) for e in v] if a == "ARRAY" else \
            [(k, convert(e, old[1], new[1])) for k, e in v]
    if b in ("INT", "UINT") and a in ("INT", "UINT", "BOOL"):
        return (signed(v, old[1]) if a == "INT" else v) & (1 << 8 * new[1]) - 1
    if b == "FLOAT":
        number = float_value(v, old[1]) if a == "FLOAT" else float(signed(v, old[1]) if a == "INT" else v)
        return struct.unpack("<Q", struct.pack("<d", number))[0] if new[1] == 8 else \
            struct.unpack("<I", struct.pack("<f", number))[0]
    if b == "DECIMAL":
        return widen_decimal(v, old, new)
    if a == b == "TIME":
        return signed(v, 8) * 10 ** (new[1] - old[1]) & (1 << 64) - 1
    if b == "TIME" and a == "DATE":
        return signed(v, 4) * 86400 * 10 ** new[1] & (1 << 64) - 1
    if a == b == "ENUM":
        return v
    if a == b == "FIXEDSTRING":
        return v.ljust(new[1], b"\0")
    text = value_text(v, old)
    if b == "JSON":
        return text
    if b == "STRING":
        return v.rstrip(b"\0") if a == "FIXEDSTRING" else text.strip(b'"') if a != "ENUM" else old[1][signed(v, 2)].encode()
    raise Unreadable(f"{old} as {new}")


def float_value(bits, w):
    return struct.unpack("<f" if w == 4 else "<d", struct.pack("<I" if w == 4 else "<Q", bits))[0]


def widen_decimal(v, old, new):
    if old[0] == "DECIMAL":
        number, scale = int.from_bytes(v, "little", signed=True) if old[1] > 18 else signed(v, 8), old[2]
    else:
        number, scale = signed(v, old[1]) if old[0] == "INT" else v, 0
    number *= 10 ** (new[2] - scale)
    return number & (1 << 64) - 1 if new[1] <= 18 else number.to_bytes(16, "little", signed=True)
