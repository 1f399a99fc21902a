"""Random conditions with their meaning in Python: spec/query.md again, value by value, without a
line of evseg.

A condition is (text, function of a row), an expression the same; NULL is None. Rows are dicts of
Python values: int, float, Fraction for decimals, str, bool, list, dict; times are (seconds,
nanoseconds) as one int of nanoseconds.
"""

import re
from fractions import Fraction

EPOCH = "1970-01-01"


def sql_text(s):
    return "'%s'" % s.replace("\\", "\\\\").replace("'", "''")


# ---- three-valued logic --------------------------------------------------------------------------

def and_(values):
    return False if False in values else None if None in values else True


def or_(values):
    return True if True in values else None if None in values else False


def not_(v):
    return None if v is None else not v


COMPARE = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b
}


def compare(op, a, b):
    return None if a is None or b is None else COMPARE[op](a, b)


def like(s, pattern, fold=False):
    if s is None:
        return None
    out, i = "", 0
    while i < len(pattern):
        c = pattern[i]
        if c == "\\" and i + 1 < len(pattern):
            i += 1
            out += re.escape(pattern[i])
        else:
            out += ".*" if c == "%" else "." if c == "_" else re.escape(c)
        i += 1
    return re.fullmatch(out, s, re.S | (re.I if fold else 0)) is not None


# ---- columns -------------------------------------------------------------------------------------

class Column:
    """kind: how its constants are written and made. `small`: sums and products of it stay far from
    the ends of Int64."""

    def __init__(self, name, ddl, kind, values, nullable=True, small=False):
        self.name, self.ddl, self.kind, self.values = name, ddl, kind, values
        self.nullable, self.small = nullable, small
        self.indexed = name in ("s", "id", "i32")


def order_key(column, v):
    """What values of one column are ordered by: text by its bytes, enums by their number."""
    if column.kind == "text":
        return v.encode()
    if column.kind == "enum":
        return column.numbers[v]
    return v


def constant(r, column):
    """A constant to compare a column with: one of its values mostly. Gives its text and its
    value."""
    v = r.choice(column.values)
    if column.kind == "int":
        if r.random() < .3:
            v += r.choice([-1, 1])
        if r.random() < .1 and 0 <= v < 1 << 50:  # any number with a point is a Float64
            return "%d.5" % v, Fraction(2 * v + 1, 2)
        return str(v), v
    if column.kind == "decimal":
        return decimal_text(v, column.scale), v
    if column.kind == "float":
        return repr(v), v
    if column.kind == "time":
        return sql_text(column.print(v)), v
    return sql_text(v), v


def decimal_text(v, scale):
    n = v * 10 ** scale
    assert n.denominator == 1
    s = "%0*d" % (scale + 1, abs(n.numerator))
    return "%s%s.%s" % ("-" if n < 0 else "", s[:-scale], s[-scale:])


# ---- conditions ----------------------------------------------------------------------------------

def comparison(r, columns):
    c = r.choice([
        c for c in columns if c.kind in ("int", "float", "decimal", "text", "enum", "uuid", "time")
    ])
    if r.random() < .3:
        c = r.choice([c for c in columns if c.indexed])
    op = "=" if r.random() < .4 else r.choice(list(COMPARE) if c.kind != "uuid" else ["=", "<>"])
    text, value = constant(r, c)

    def value_of(row):
        v = row[c.name]
        return None if v is None else order_key(c, v)

    bound = value if c.kind == "int" else order_key(c, value)
    if r.random() < .2:
        flip = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
        return ("%s %s %s" % (text, flip.get(op, op), c.name),
                lambda row: compare(op, value_of(row), bound))
    return "%s %s %s" % (c.name, op, text), lambda row: compare(op, value_of(row), bound)


def two_columns(r, columns):
    kind = r.choice(["int", "int", "text"])
    a, b = (r.choice([c for c in columns if c.kind == kind]) for _ in range(2))
    op = r.choice(list(COMPARE))
    if kind == "text":
        return ("%s %s %s" % (a.name, op, b.name),
                lambda row: compare(op, *(None if v is None else v.encode()
                                          for v in (row[a.name], row[b.name]))))
    return "%s %s %s" % (a.name, op, b.name), lambda row: compare(op, row[a.name], row[b.name])


def arithmetic(r, columns):
    small = [c for c in columns if c.small]
    a, b = r.choice(small), r.choice(small)
    k, n, op = r.randint(-9, 9), r.randint(-300, 300), r.choice(list(COMPARE))

    def total(row):
        x, y = row[a.name], row[b.name]
        return None if x is None or y is None else x + k * y
    return "%s + %d * %s %s %d" % (a.name, k, b.name, op, n), lambda row: compare(op, total(row), n)


def between(r, columns):
    c = r.choice([c for c in columns if c.kind in ("int", "text", "time", "decimal")])
    (lt, lo), (ht, hi) = constant(r, c), constant(r, c)
    neg = r.random() < .3
    if c.kind != "int":
        lo, hi = order_key(c, lo), order_key(c, hi)

    def holds(row):
        v = row[c.name]
        v = v if v is None or c.kind == "int" else order_key(c, v)
        x = and_([compare(">=", v, lo), compare("<=", v, hi)])
        return not_(x) if neg else x
    return "%s %sBETWEEN %s AND %s" % (c.name, "NOT " * neg, lt, ht), holds


def in_list(r, columns):
    c = r.choice(
        [c for c in columns if c.kind in ("int", "text", "enum", "uuid", "time", "decimal")])
    if r.random() < .3:
        c = r.choice([c for c in columns if c.indexed])
    items = [constant(r, c) for _ in range(r.randint(1, 5))]
    null, neg = r.random() < .2, r.random() < .3
    values = [v for _, v in items]

    def holds(row):
        v = row[c.name]
        x = None if v is None else True if v in values else None if null else False
        return not_(x) if neg else x

    return "%s %sIN (%s)" % (c.name, "NOT " * neg,
                             ", ".join([t for t, _ in items] + ["NULL"] * null)), holds


def pattern(r, columns):
    c = r.choice([c for c in columns if c.kind == "text"])
    s = r.choice(c.values)
    p = "".join(
        r.choice([ch, ch, ch, "_", "%"]) if ch not in "%_\\" else "\\" + ch
        for ch in s[:6]) + r.choice(["%", "", "%"])
    neg = r.random() < .3

    def holds(row):
        x = like(row[c.name], p)
        return not_(x) if neg else x

    quoted = p.replace("\\", "\\\\").replace("'", "''")
    return "%s %sLIKE '%s'" % (c.name, "NOT " * neg, quoted), holds


def null_test(r, columns):
    c = r.choice([c for c in columns if c.kind not in ("array", "map")])
    neg = r.random() < .5
    return "%s IS %sNULL" % (c.name, "NOT " * neg), lambda row: (row[c.name] is None) != neg


def nested(r, columns):
    c = r.choice([c for c in columns if c.kind in ("array", "map")])
    v = r.choice(c.values)
    if c.kind == "map":
        k = r.choice(list(v) or ["none"])
        x = r.choice(list(v.values()) or ["x"])
        return ("%s[%s] = %s" % (c.name, sql_text(k), sql_text(x)),
                lambda row: None if k not in row[c.name] else row[c.name][k] == x)
    if r.random() < .4:
        n = r.randint(0, 4)
        return "length(%s) > %d" % (c.name, n), lambda row: len(row[c.name]) > n
    x = r.choice(v or next(x for x in c.values if x))
    return "has(%s, %s)" % (c.name,
                            x if isinstance(x, int) else sql_text(x)), lambda row: x in row[c.name]


def truth(r, columns):
    c = r.choice([c for c in columns if c.kind == "bool"])
    return c.name, lambda row: row[c.name]


LEAVES = [comparison] * 5 + [
    two_columns, arithmetic, between, in_list, in_list, pattern, null_test, nested, truth
]


def condition(r, columns, depth=3):
    if depth and r.random() < .5:
        parts = [condition(r, columns, depth - 1) for _ in range(r.randint(2, 3))]
        word, join = r.choice([("AND", and_), ("OR", or_)])
        return "(%s)" % (" %s " % word).join(
            t for t, _ in parts), lambda row: join([f(row) for _, f in parts])
    if depth and r.random() < .15:
        t, f = condition(r, columns, depth - 1)
        return "NOT (%s)" % t, lambda row: not_(f(row))
    return r.choice(LEAVES)(r, columns)
