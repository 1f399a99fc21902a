"""The schema text of a segment (spec/schema.md): columns with their types from CREATE TABLE in
either dialect, and values as evcat prints them. Only what a reader needs: checks, defaults and keys
are passed over.
"""

import decimal
import ipaddress
import re
import struct

from spec_column import date_text, signed, uuid_text

TOKEN = re.compile(
    r"""[ \t\n\v\f\r]+ | \ufeff | --[^\n]* | \#[\s!#][^\n]* | (?P<comment>/\*)
      | (?P<text>[eE]?'(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      | (?P<quoted>"(?:[^"]|"")*" | `(?:[^`\\]|\\.|``)*`)
      | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z_0-9$\x80-\U0010ffff]*)
      | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
      | (?P<sign>.)""", re.VERBOSE | re.DOTALL)

# Items of CREATE TABLE that are no columns.
NO_COLUMN = {"CONSTRAINT", "CHECK", "INDEX", "PRIMARY", "UNIQUE", "FOREIGN", "PROJECTION",
             "EXCLUDE", "ASSUME"}

SIMPLE = {
    "BOOL": ("BOOL",), "UUID": ("UUID",), "DATE": ("DATE",), "DATE32": ("DATE",), "IPV4": ("IPV4",),
    "IPV6": ("IPV6",), "BOOLEAN": ("BOOL",), "JSON": ("JSON",), "JSONB": ("JSON",),
    "OBJECT": ("JSON",),
}
for _kind, _names in (
    (("INT", 1), "INT1 TINYINT"), (("INT", 2), "INT2 SMALLINT INT16 SMALLSERIAL SERIAL2"),
    (("INT", 4), "INT INT4 INTEGER INT32 SERIAL SERIAL4"),
    (("INT", 8), "INT8 BIGINT INT64 BIGSERIAL SERIAL8"),  # Int8 is looked at before
    (("UINT", 1), "UINT8"), (("UINT", 2), "UINT16"), (("UINT", 4), "UINT32"),
    (("UINT", 8), "UINT64"),
    (("FLOAT", 4), "FLOAT32 REAL FLOAT4"), (("FLOAT", 8), "FLOAT64 FLOAT8 DOUBLE FLOAT"),
    (("STRING",), "STRING TEXT VARCHAR CHAR CHARACTER BPCHAR TINYTEXT MEDIUMTEXT LONGTEXT INET "
                  "CIDR MACADDR MACADDR8 CITEXT XML LTREE"),
):
    SIMPLE.update((name, _kind) for name in _names.split())
SHAPES = {
    "BOOL": ("INT", 1), "STRING": ("BYTES",), "UUID": ("FIXED", 16), "DATE": ("INT", 4),
    "TIME": ("INT", 8), "ENUM": ("INT", 2), "JSON": ("BYTES",), "IPV4": ("INT", 4),
    "IPV6": ("FIXED", 16),
}


class Unreadable(Exception):
    """A schema text that this parser does not understand."""


def tokens(text):
    """(kind, text as it stands). Kinds: text, quoted, word, number, sign."""
    at = 0
    while at < len(text):
        m = TOKEN.match(text, at)
        at = m.end()
        if m["comment"]:
            at = comment_end(text, at)
            continue
        for kind in ("text", "quoted", "word", "number", "sign"):
            if m[kind]:
                yield kind, m[kind]


def comment_end(text, at):
    """Behind the end of a comment that began in front of `at`; they nest."""
    depth = 1
    while depth and at < len(text):
        two = text[at:at + 2]
        depth += (two == "/*") - (two == "*/")
        at += 2 if two in ("/*", "*/") else 1
    return at


class Tokens:
    def __init__(self, text):
        self.all, self.at, self.types = list(tokens(text)), 0, {}

    def upper(self, ahead=0):
        """The next word in upper case, or the next sign; "" at the end and for what is quoted."""
        if self.at + ahead >= len(self.all):
            return ""
        kind, text = self.all[self.at + ahead]
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


CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v"}


def unquote(text):
    if text[0] == "$":
        return text[text.index("$", 1) + 1:text.rindex("$", 0, -1)]
    text = text.lstrip("eE") if text[-1] == "'" else text
    quote = text[0]
    if quote == '"':
        return text[1:-1].replace('""', '"')
    return re.sub(r"\\(.)|" + quote * 2, lambda m: CONTROLS.get(m[1], m[1]) if m[1] else quote,
                  text[1:-1], flags=re.S)


def enum_types(t):
    """The CREATE TYPE statements at the beginning: name to items."""
    out = {}
    while t.upper() == "CREATE" and t.upper(1) == "TYPE":
        t.at += 2
        name = t.next()[1]
        while not t.take("ENUM"):
            name = t.next()[1] if t.upper() not in (".", "AS") else t.next() and name
        out[name.strip('"`').upper()] = "ENUM", enum_items(arguments(t))
        t.expect(";")
    return out


def table(text):
    """[(name, type, DEFAULT)] of the declared columns, in order. Of a DEFAULT that is no constant,
    None."""
    t = Tokens(text.decode())
    t.types = enum_types(t)
    while not t.take("TABLE"):
        t.next()
    while not t.take("("):
        t.next()
    out = []
    while not t.take(")"):
        if t.upper() not in NO_COLUMN:
            name = column_name(t)
            kind = column_type(t)
            start = t.at
            t.skip_item()
            out.append((name, kind, constant(t.all[start:t.at], kind)))
        else:
            t.skip_item()
        if t.upper() != ")":
            t.expect(",")
    return out


def column_name(t):
    kind, text = t.next()
    name = unquote(text) if kind == "quoted" else text
    return name + "." + column_name(t) if t.take(".") else name


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
    what, word = t.next()
    name = (unquote(word) if what == "quoted" else word).upper()
    while t.take("."):  # a schema in front of a type's name
        name = t.next()[1].strip('"`').upper()
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
    if name in ("DATETIME", "DATETIME32"):
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
    if name not in SIMPLE and name not in t.types:
        raise Unreadable(f"type {name}")
    return SIMPLE.get(name) or t.types[name]


def enum_items(args):
    out, last = {}, 0
    for a in args:
        if len(a) > 1:
            last = int("".join(x[1] for x in a[2:]))
        else:
            last += 1
        out[last] = unquote(a[0][1])
    return out


AFTER_DEFAULT = {"NOT", "NULL", "CHECK", "CODEC", "COMMENT", "TTL", "CONSTRAINT", "UNIQUE",
                 "PRIMARY", "REFERENCES"}


def constant(words, kind):
    """The DEFAULT among the words behind a column's type, as a value of `kind`, when it is a
    literal."""
    upper = [text.upper() if what == "word" else text for what, text in words]
    if "DEFAULT" not in upper:
        return None
    t = Tokens("")
    t.all = words[upper.index("DEFAULT") + 1:]
    try:
        return literal(t, kind) if ends(t) else None
    except (Unreadable, ValueError, KeyError):
        return None


def ends(t):
    """Is a literal all that stands there, apart from a cast of it?"""
    start, depth = t.at, 0
    while not t.done() and (depth or t.upper() not in AFTER_DEFAULT or t.at == start):
        kind, text = t.next()
        if text == ":":
            break
        depth += (text == "[") - (text == "]")
        word = kind == "word" and text.upper() not in ("TRUE", "FALSE", "NULL")
        if word or kind == "quoted" or text in "(+*/|":
            return False
    t.at = start
    return True


def literal(t, kind):
    what, text = t.next()
    name = kind[0]
    if text.upper() == "NULL":
        return None
    if text == "[":
        out = []
        while not t.take("]"):
            out.append(literal(t, kind[1]))
            t.take(",")
        return out
    if what == "text":
        return text_value(unquote(text), kind)
    if what == "word":
        return {"TRUE": 1, "FALSE": 0}[text.upper()]
    if text == "-":
        text += t.next()[1]
    if name == "FLOAT":
        return float_bits(float(text), kind[1])
    if name == "DECIMAL":
        whole, _, rest = text.partition(".")
        value = int(whole + rest.ljust(kind[2], "0"))
        return value & (1 << 64) - 1 if kind[1] <= 18 else value.to_bytes(16, "little", signed=True)
    if name in ("INT", "UINT"):
        return int(text) & (1 << 8 * kind[1]) - 1
    raise Unreadable("literal")


def text_value(text, kind):
    name = kind[0]
    if name in ("STRING", "JSON"):
        return text.encode()
    if name == "FIXEDSTRING":
        return text.encode().ljust(kind[1], b"\0")
    if name == "UUID":
        return bytes.fromhex(text.replace("-", ""))
    if name == "ENUM":
        return {item: number for number, item in kind[1].items()}[text] & 0xFFFF
    if name == "ARRAY" and text == "{}":
        return []
    raise Unreadable("literal")


EXTRA = "_extra", ("JSON",), None
ARRIVAL = "_time", ("TIME", 9), None


def columns(text, ncols):
    """All columns of a group with `ncols`: the declared ones, _extra, and _time when there is one
    more."""
    declared = table(text)
    hidden = [EXTRA, ARRIVAL][:ncols - len(declared)]
    if len(declared) + len(hidden) != ncols or not hidden:
        raise Unreadable(f"5.1-9 {ncols} columns in the group, {len(declared)} in its schema")
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


# ---- values -------------------------------------------------------------------------------------

ESCAPES = {0x22: '\\"', 0x5C: "\\\\", 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
ESCAPES.update({i: "\\u%04x" % i for i in range(32) if i not in ESCAPES})


def quote(raw):
    return b'"' + raw.decode().translate(ESCAPES).encode() + b'"'


def narrow(value):
    """The nearest float of 32 bits, as a double."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf")


def float_bits(value, w):
    return int.from_bytes(struct.pack("<f" if w == 4 else "<d", value), "little")


def fewest_digits(value, w):
    """(digits, exponent) of the shortest decimal that reads back as value > 0, of these the
    nearest: d.ddd * 10^exponent."""
    if w == 8:  # Python prints them so
        _, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
        return "".join(map(str, digits)), exponent + len(digits) - 1
    for precision in range(9):
        mantissa, exponent = ("%.*e" % (precision, value)).split("e")
        near = int(mantissa.replace(".", ""))
        exponent = int(exponent) - precision
        found = [d for d in (near, near - 1, near + 1)
                 if narrow(float("%de%d" % (d, exponent))) == value]
        if found:
            digits = str(found[0])
            return digits.rstrip("0"), exponent + len(digits) - 1
    raise AssertionError(value)


def float_text(bits, w):
    """The fewest digits that read back as the same number; without exponent from 1e-6 to below
    1e21. A whole Float64 below that is printed with all its digits."""
    value = struct.unpack("<f" if w == 4 else "<d", bits.to_bytes(w, "little"))[0]
    if value != value or value in (float("inf"), float("-inf")):
        return "null"  # no writer stores one (schema.md 3.2)
    sign, value = "-" if bits >> 8 * w - 1 else "", abs(value)
    if value == 0:
        return sign + "0"
    if w == 8 and value < 1e21 and value == int(value):
        return sign + str(int(value))
    digits, exponent = fewest_digits(value, w)
    if -7 < exponent < 0:
        return sign + "0." + "0" * (-exponent - 1) + digits
    if 0 <= exponent < 21:
        whole, rest = digits[:exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1:]
        return sign + whole + ("." + rest if rest else "")
    return sign + digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + "e%d" % exponent


def decimal_text(value, scale):
    sign, value = "-" * (value < 0), abs(value)
    whole, rest = divmod(value, 10 ** scale)
    return sign + str(whole) + ("." + "%0*d" % (scale, rest)).rstrip("0").rstrip(".")


def time_text(ticks, digits):
    seconds, fraction = divmod(ticks, 10 ** digits)
    days, seconds = divmod(seconds, 86400)
    text = "%sT%02d:%02d:%02d" % (date_text(days), seconds // 3600, seconds // 60 % 60,
                                  seconds % 60)
    return text + (".%0*d" % (digits, fraction) if digits else "") + "Z"


def value_text(v, kind):
    """A value as JSON. One that its type does not allow is refused (schema.md 3.2-2)."""
    try:
        return sound_text(v, kind)
    except (KeyError, ValueError, OverflowError) as e:
        raise Unreadable(f"value of {kind[0]}: {e}") from e


def sound_text(v, kind):
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


# ---- a value under a later schema ---------------------------------------------------------------


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
        text = float_text(v, old[1]) if a == "FLOAT" else signed(v, old[1]) if a == "INT" else v
        return float_bits(float(text), new[1])
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
    if b == "STRING" and a == "FIXEDSTRING":
        return v.rstrip(b"\0")
    if b == "STRING" and a == "ENUM":
        return old[1][signed(v, 2)].encode()
    if b == "STRING":
        return text.strip(b'"')
    raise Unreadable(f"{old} as {new}")


def widen_decimal(v, old, new):
    if old[0] == "DECIMAL":
        number = int.from_bytes(v, "little", signed=True) if old[1] > 18 else signed(v, 8)
        scale = old[2]
    else:
        number, scale = signed(v, old[1]) if old[0] == "INT" else v, 0
    number *= 10 ** (new[2] - scale)
    return number & (1 << 64) - 1 if new[1] <= 18 else number.to_bytes(16, "little", signed=True)
