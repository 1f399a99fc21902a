"""What must become of a line, by python's json and by a reading of the DDL that shares no code with
evseg: is it a row, does it fit the declared columns, and which value must come back.

Values are compared in a canonical form: whole numbers are exact ints, however written; other
numbers are the doubles they read as (so 36.0 is 36, and 9007199254740993 is not ...992); -0 is kept
apart from 0; a number no double can hold stays its decimal text. Times of declared columns are
compared as instants, cut to the digits of their column; in JSON and String columns nothing is
touched. Nulls are left out of rows, but not of values.
"""

import hashlib
import ipaddress
import json
import re
import struct
import sys
from datetime import datetime, timedelta
from decimal import Context, Decimal

sys.set_int_max_str_digits(0)
sys.setrecursionlimit(20000)

WHITE = b" \t\r\n"


# ---- JSON ----------------------------------------------------------------------------------------

class Twice(list):
    """An object in which a key comes twice, as its pairs."""


class Odd(str):
    """A number that python's float and int would not keep: -0, 1e400, 1e-400."""


class Real(float):
    """A number with fraction or exponent, and its text, which an integer column takes exactly."""


def _pairs(pairs):
    d = dict(pairs)
    return d if len(d) == len(pairs) else Twice(pairs)


def _int(text):
    return Odd("-0") if text == "-0" else int(text)


def _float(text):
    f = float(text)
    if f in (float("inf"), float("-inf")):
        return Odd("%s" % Decimal(text).normalize())
    if f == 0:
        if Decimal(text) != 0:
            return Odd("%s" % Decimal(text).normalize())
        return Odd("-0") if text.startswith("-") else 0
    real = Real(f)
    real.text = text
    return real


def _constant(text):
    raise ValueError("%s is no JSON" % text)


_decoder = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_int, parse_float=_float,
                            parse_constant=_constant)


def parse(text):
    """One JSON text, strictly; raises ValueError."""
    body = text.strip(" \t\r\n")
    value, end = _decoder.raw_decode(body)
    if end != len(body):
        raise ValueError("more text after the value")
    return value


def read_line(raw):
    """('blank', None), ('bad', why) or ('row', dict) for the bytes of a line."""
    if not raw.strip(WHITE):
        return "blank", None
    try:
        value = parse(raw.decode("utf-8"))
    except (ValueError, RecursionError) as e:
        return "bad", str(e)
    if isinstance(value, Twice):
        return "bad", "a key comes twice"
    if not isinstance(value, dict):
        return "bad", "no object"
    return "row", value


def lines_of(data):
    """(number, offset, bytes without newline) of every line, without a BOM at the beginning."""
    at = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if line or at < len(data):
            yield number, at, line[3:] if at == 0 and line.startswith(b"\xef\xbb\xbf") else line
        at += len(line) + 1


def _plain(v):
    if isinstance(v, Odd):
        return {"\x00number": str(v)}
    if isinstance(v, float):
        return int(v) if v.is_integer() else {"\x00double": v.hex()}
    if isinstance(v, Twice):
        return {"\x00twice": [[k, _plain(x)] for k, x in v]}
    if isinstance(v, dict):
        return {k: _plain(x) for k, x in v.items()}
    if isinstance(v, list):
        return [_plain(x) for x in v]
    return v


def row_text(row):
    """The canonical text of a row."""
    return json.dumps({k: _plain(v) for k, v in row.items() if v is not None}, sort_keys=True)


def digest(row):
    return hashlib.blake2b(row_text(row).encode(), digest_size=16).digest()


# ---- DDL -----------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s+|--[^\n]*|/\*.*?\*/|(?P<str>'(?:[^'\\]|''|\\.)*')|(?P<id>"[^"]*"|`[^`]*`)"""
                    r"""|(?P<word>[A-Za-z_][A-Za-z0-9_$]*)|(?P<num>\d[\d.]*)|(?P<op>::|.)""", re.S)


def _tokens(text):
    out = []
    for m in _TOKEN.finditer(text):
        if m.lastgroup == "id":
            out.append(("id", m.group()[1:-1]))
        elif m.lastgroup == "str":
            out.append(("str", re.sub(r"\\(.)", r"\1", m.group()[1:-1].replace("''", "'"))))
        elif m.lastgroup:
            out.append((m.lastgroup, m.group()))
    return out


def _split(tokens):
    """By commas outside of parentheses."""
    part, depth, out = [], 0, []
    for t in tokens:
        if t == ("op", "("):
            depth += 1
        elif t == ("op", ")"):
            depth -= 1
        if t == ("op", ",") and not depth:
            out.append(part)
            part = []
        else:
            part.append(t)
    return out + [part] if part else out


def _closing(tokens, at):
    depth = 0
    for i in range(at, len(tokens)):
        depth += (tokens[i] == ("op", "(")) - (tokens[i] == ("op", ")"))
        if not depth:
            return i
    raise ValueError("an open parenthesis in the DDL")


class Type:
    def __init__(self, name, args=(), nullable=False):
        self.name, self.args, self.nullable = name, list(args), nullable


_INTS = {"int8": (-2**7, 2**7 - 1), "int16": (-2**15, 2**15 - 1), "int32": (-2**31, 2**31 - 1),
         "int64": (-2**63, 2**63 - 1), "uint8": (0, 2**8 - 1), "uint16": (0, 2**16 - 1),
         "uint32": (0, 2**32 - 1), "uint64": (0, 2**64 - 1)}
_SYNONYMS = {"integer": "int32", "int": "int32", "int4": "int32", "bigint": "int64",
             "smallint": "int16",
             "bigserial": "int64", "serial": "int32", "text": "string", "varchar": "string",
             "char": "string",
             "character": "string", "boolean": "bool", "double": "float64", "real": "float32",
             "float": "float64",
             "jsonb": "json", "timestamptz": "timestamp", "numeric": "decimal", "enum8": "enum",
             "enum16": "enum",
             "datetime32": "datetime", "date32": "date", "inet": "string"}


def _type(tokens, enums):
    """The type at the beginning of `tokens`, and what follows it."""
    name, rest, args = tokens[0][1].lower(), tokens[1:], []
    spelled = tokens[0][1]
    if rest and rest[0] == ("op", "("):
        end = _closing(rest, 0)
        args, rest = _split(rest[1:end]), rest[end + 1:]
    if name == "double" and rest and rest[0][1].lower() == "precision":
        rest = rest[1:]
    if name == "timestamp" and [t[1].lower() for t in rest[1:3]] == ["time", "zone"]:
        rest = rest[3:]
    if name == "int8" and spelled != "Int8":  # PostgreSQL's has eight bytes
        name = "int64"
    if name in enums:
        out = Type("enum", enums[name])
    elif name in ("nullable", "lowcardinality"):
        out = _type(args[0], enums)[0]
        out.nullable |= name == "nullable"
    elif name in ("array", "map"):
        out = Type(name, [_type(a, enums)[0] for a in args])
    else:
        name = _SYNONYMS.get(name, name)
        if name == "enum":
            out = Type(name, [a[0][1] for a in args])
        elif name == "timestamp":
            out = Type("datetime64", [int(args[0][0][1]) if args else 6])
        elif name == "datetime64":
            out = Type(name, [int(args[0][0][1]) if args else 3])
        else:
            out = Type(name, [a[0][1] for a in args])
    while rest[:2] == [("op", "["), ("op", "]")]:
        out.nullable = out.name not in ("array", "map")
        out, rest = Type("array", [out]), rest[2:]
    return out, rest


class Column:
    def __init__(self, name, type_, words, tokens):
        self.name, self.type = name, type_
        self.not_null = "not null" in words
        self.null = type_.nullable or re.search(r"(?<!not )(?<!default )\bnull\b",
                                                words) is not None
        self.default = re.search(r"\b(default|materialized|generated)\b", words) is not None
        self.serial = tokens[1][1].lower() in ("bigserial", "serial",
                                               "smallserial") if len(tokens) > 1 else False
        self.key = "primary key" in words
        if self.serial:
            self.default = True


class Table:
    """Columns of one CREATE TABLE; `time` is its time column, where PARTITION BY tells it."""

    def __init__(self, name, body, tail, enums):
        self.name, self.columns = name, {}
        keys = []
        for part in _split(body):
            first = part[0][1].lower()
            if part[0][0] == "word" and first in ("primary", "constraint", "index", "check",
                                                  "unique", "foreign", "projection"):
                named = first == "constraint" and "primary" in [v.lower() for _, v in part]
                if first == "primary" or named:
                    keys += [t[1] for t in part if t[0] in ("word", "id")]
                continue
            type_, rest = _type(part[1:], enums)
            words = " ".join(t[1].lower() for t in rest if t[0] in ("word", "op"))
            words = re.split(r"\b(?:check|references|constraint|comment)\b", words)[0]
            self.columns[part[0][1]] = Column(part[0][1], type_, words, part)
        words = " ".join(t[1] for t in tail)
        engine = re.search(r"\bengine\b", words, re.I)
        says = any(c.not_null for c in self.columns.values())
        order = re.search(r"\border by\b(.*?)(?=\b(?:partition|ttl|settings|primary|comment)\b|$)",
                          words, re.I | re.S)
        part = re.search(r"\bpartition by\b(.*?)(?=\b(?:order|ttl|settings|primary|comment)\b|$)",
                         words, re.I | re.S)
        for key in (order, part):
            keys += re.findall(r"\w+", key.group(1)) if key else []
        self.time = next((w for w in re.findall(r"\w+", part.group(1)) if self._is_time(w)),
                         None) if part else None
        # Rows whose partition begins before the year 0 have no file to go to.
        week = not (part and re.search("month|toyyyymm|range", words, re.I))
        self.first = YEAR_0 + (2 * 86400 * 10**9 if week else 0)
        for c in self.columns.values():
            c.nullable = (c.null or ((says or not engine) and not c.not_null)) and not c.not_null
            if c.name in keys or c.key or c.serial:
                c.nullable = False

    def _is_time(self, word):
        c = self.columns.get(word)
        return c is not None and c.type.name in ("datetime", "datetime64", "date", "string",
                                                 "int64", "float64")


def tables(ddl):
    """{name: Table} of a DDL text, database names left off."""
    out, enums = {}, {}
    tokens = _tokens(ddl)
    low = [t[1].lower() if t[0] == "word" else None for t in tokens]
    i = 0
    while i < len(tokens):
        if low[i] == "create" and low[i + 1] == "type":
            end = tokens.index(("op", "("), i)
            close = _closing(tokens, end)
            enums[tokens[end - 3][1].lower()] = [t[1] for t in tokens[end:close] if t[0] == "str"]
            i = close
        if low[i] == "create" and "table" in low[i + 1:i + 4]:
            i = low.index("table", i)
            open_ = tokens.index(("op", "("), i)
            i += 4 if low[i + 1] == "if" else 1
            while tokens[i + 1] == ("op", "."):
                i += 2
            name = tokens[i][1]
            close = _closing(tokens, open_)
            end = next((k for k in range(close, len(tokens)) if tokens[k] == ("op", ";")),
                       len(tokens))
            out[name] = Table(name, tokens[open_ + 1:close], tokens[close + 1:end], enums)
            i = end
        i += 1
    return out


# ---- a row against a table -----------------------------------------------------------------------

class Misfit(Exception):
    """A value must be rejected; `column` is set by row()."""

    column = None


_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?"
    r"(Z|z|[+-]\d\d(?::?\d\d)?)?)?", re.A)


YEAR_0 = -62167219200 * 10**9
YEAR_10000 = 253402300800 * 10**9


def instant(text, digits):
    """Nanoseconds since 1970 of ISO 8601, cut to `digits` places of the second; ValueError."""
    m = _TIME.fullmatch(text)
    if not m or (m[7] and len(m[7].rstrip("0")) > 9):
        raise ValueError("no time")
    y, mo, d, h, mi, s = (int(x or 0) for x in m.groups()[:6])
    leap_zero = y == 0  # python begins with the year 1: 400 years are as many days
    t = datetime(y + 400 if leap_zero else y, mo, d, h, mi, s) - datetime(1970, 1, 1)
    if leap_zero:
        t -= timedelta(days=146097)
    sec = t.days * 86400 + t.seconds
    zone = m[8]
    if zone and zone not in "Zz":
        zh, zm = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
        if zh > 23 or zm > 59:
            raise ValueError("no zone")
        sec -= (zh * 3600 + zm * 60) * (-1 if zone[0] == "-" else 1)
    frac = int((m[7] or "")[:digits].ljust(9, "0")) if digits else 0
    return sec * 10**9 + frac


def _lone(text):
    return any(0xD800 <= ord(c) < 0xE000 for c in text) if not text.isascii() else False


def _text(v):
    if not isinstance(v, str) or isinstance(v, Odd) or _lone(v):
        raise Misfit("no text")
    return v


def shortest32(v):
    """The shortest text that reads back to the nearest float of 4 bytes."""
    raw = struct.pack("f", v)
    f = struct.unpack("f", raw)[0]
    return next(t for t in ("%.*g" % (n, f) for n in range(1, 10))
                if struct.pack("f", float(t)) == raw)


def decimal(v, t):
    if type(v) is not int and type(v) is not Real:
        raise Misfit("no number")
    d, (precision, scale) = Decimal(v.text if type(v) is Real else v), (int(x) for x in t.args)
    scaled = d.scaleb(scale, Context(prec=20000, Emax=99999, Emin=-99999))
    if scaled != scaled.to_integral_value() or abs(scaled) >= 10**precision:
        raise Misfit("no such decimal")
    return Odd("%f" % 0 if d == 0 else format(d.normalize(), "f"))


def value(v, t):
    """The canonical value of `v` in a column of type `t`; Misfit when it must be rejected."""
    if t.name == "json":
        return v
    if t.name in _INTS:
        lo, hi = _INTS[t.name]
        if type(v) is Real and Decimal(v.text) == Decimal(v.text).to_integral_value():
            v = int(Decimal(v.text))
        if type(v) is not int or not lo <= v <= hi:
            raise Misfit("no such integer")
        return v
    if t.name in ("float32", "float64"):
        if isinstance(v, Odd) and v == "-0":
            return v
        if type(v) is not int and type(v) is not Real:
            raise Misfit("no number")
        try:
            exact = int(float(v)) == v if type(v) is int else True
            if t.name == "float32":
                exact = exact and float(shortest32(v)) == v
        except OverflowError:
            exact = False
        if not exact:
            raise Misfit("no such float has this value")
        return v
    if t.name == "decimal":
        return decimal(v, t)
    if t.name == "bool":
        if type(v) is not bool:
            raise Misfit("not true or false")
        return v
    if t.name == "uuid":
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", _text(v), re.A):
            raise Misfit("no UUID")
        return v.lower()
    if t.name in ("datetime", "datetime64", "date"):
        digits = t.args[0] if t.name == "datetime64" else 0
        if t.name == "date" and len(_text(v)) != 10:
            raise Misfit("no date")
        try:
            t = instant(_text(v), digits)
        except ValueError as e:
            raise Misfit(str(e))
        if not YEAR_0 <= t < YEAR_10000 or (digits == 9 and not -2**63 <= t < 2**63):
            raise Misfit("out of range")
        return Odd("@%d" % t)
    if t.name == "enum":
        if _text(v) not in t.args:
            raise Misfit("not of the enum")
        return v
    if t.name == "array":
        if not isinstance(v, list) or isinstance(v, Twice):
            raise Misfit("no array")
        return [_element(x, t.args[0]) for x in v]
    if t.name == "map":
        if not isinstance(v, dict):
            raise Misfit("no map")
        return {_text(k): _element(x, t.args[1]) for k, x in v.items()}
    if t.name == "fixedstring":
        if len(_text(v).encode()) > int(t.args[0]) or v.endswith("\0"):
            raise Misfit("too long, or a NUL at the end")
        return v
    if t.name in ("ipv4", "ipv6"):
        try:
            same = str(ipaddress.IPv4Address(_text(v))
                       if t.name == "ipv4" else ipaddress.IPv6Address(v)) == v
        except ValueError:
            same = False
        if not same:
            raise Misfit("no address, or not spelled as addresses are")
        return v
    return _text(v)


def _element(v, t):
    if v is None:
        if not t.nullable:
            raise Misfit("null inside")
        return None
    return value(v, t)


def row(fields, table):
    """The row that must come back, or Misfit. Columns that the writer fills in are left out."""
    out = {}
    for name, v in fields.items():
        c = table.columns.get(name)
        try:
            if c is None or v is not None:
                out[name] = value(v, c.type) if c else v
            elif not c.nullable:
                raise Misfit("null, and the column is not nullable")
        except Misfit as e:
            e.column = name
            raise
    if table.time in out and table.columns[table.time].type.name == "string":
        try:
            instant(out[table.time], 9)
        except ValueError as why:
            e = Misfit("the time column holds no time: %s" % why)
            e.column = table.time
            raise e
    if table.time in out and str(out[table.time]).startswith("@") and int(
        out[table.time][1:]) < table.first:
        e = Misfit("its partition begins before the year 0")
        e.column = table.time
        raise e
    for c in table.columns.values():
        if c.name not in fields and not c.nullable and not c.default:
            e = Misfit("absent, and the column is not nullable")
            e.column = c.name
            raise e
    return out
