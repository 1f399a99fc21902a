"""Random SELECTs with their answer in plain Python: spec/query.md 8 and 9 again, row by row,
without a line of evseg.

An item is (text, function of a list of rows, how its value is shown and compared). Values are
exact: sums of floats by fractions, so that they must come out to the last bit.
"""

import functools
import json
import math
from fractions import Fraction

import plain
import tables

HOUR, DAY = 3600 * 10 ** 9, 86400 * 10 ** 9
INT64, UINT64 = (-(1 << 63), (1 << 63) - 1), (0, (1 << 64) - 1)


class ValueError_(Exception):
    """The query has no answer: evagg must say so."""


def known(rows, *columns):
    return [row for row in rows if all(row[c.name] is not None for c in columns)]


# ---- how values are compared with what was printed -----------------------------------------------

def exactly(want, got):
    return want == got and (want is True) == (got is True) and (want is False) == (got is False)


def number(want, got):
    return got is None if want is None else got is not None and Fraction(str(got)) == Fraction(want)


def double(want, got):
    """The very double."""
    return got is None if want is None else got is not None and float(got) == float(want)


def close(share):
    def test(want, got):
        return got is None if want is None else got is not None and math.isclose(
            float(got), float(want), rel_tol=share, abs_tol=1e-300)
    return test


def one_of(want, got):
    return got in want if want else got is None


def bag(want, got):
    return sorted(map(json.dumps, want)) == sorted(map(json.dumps, got))


def between(want, got):
    if want is None:
        return got is None
    low, high, share = want
    slack = share * max(abs(low), abs(high)) + 1e-300
    return low - slack <= float(got) <= high + slack


def shown(column, v):
    return column.print(v) if v is not None and column.kind == "time" else v


def test_of(column):
    return {"int": number, "decimal": number, "float": double}.get(column.kind, exactly)


# ---- aggregates ----------------------------------------------------------------------------------

def rank(c, v):
    return list(v) if c.kind == "array" else plain.order_key(c, v)


def extreme(r, columns):
    c = r.choice([c for c in columns if c.kind not in ("array", "map")])
    best, name = r.choice([(min, "min"), (max, "max")])

    def value(rows):
        v = [row[c.name] for row in known(rows, c)]
        return shown(c, best(v, key=functools.partial(rank, c))) if v else None
    return "%s(%s)" % (name, c.name), value, test_of(c)


def total(r, columns):
    c = r.choice([c for c in columns if c.kind in ("int", "float", "decimal", "bool")])

    def value(rows):
        v = [Fraction(row[c.name]) for row in known(rows, c)]
        if not v:
            return None
        low, high = UINT64 if c.ddl == "UInt64" else INT64
        if c.kind in ("int", "bool") and not low <= sum(v) <= high:
            raise ValueError_
        return sum(v)
    return "sum(%s)" % c.name, value, double if c.kind == "float" else number


def mean(r, columns):
    c = r.choice([c for c in columns if c.kind in ("int", "float", "decimal")])

    def value(rows):
        v = [Fraction(row[c.name]) for row in known(rows, c)]
        return sum(v) / len(v) if v else None
    return "avg(%s)" % c.name, value, close(1e-15)


def spread(r, columns):
    c = r.choice([c for c in columns if c.kind in ("int", "decimal")])
    name, lost, root = r.choice([("varPop", 0, False), ("var_samp", 1, False), ("stddev", 1, True),
                                 ("stddevPop", 0, True)])

    def value(rows):
        v = [Fraction(float(row[c.name])) for row in known(rows, c)]
        if len(v) <= lost:
            return None
        x = (len(v) * sum(a * a for a in v) - sum(v) ** 2) / len(v) / (len(v) - lost)
        return math.sqrt(x) if root else x
    return "%s(%s)" % (name, c.name), value, close(1e-12)


def quantile(r, columns):
    c = r.choice([c for c in columns if c.kind in ("int", "decimal", "float")])
    p = r.choice([0, 0.25, 0.5, 0.9, 1])

    def value(rows):
        v = sorted(float(row[c.name]) for row in known(rows, c))
        if not v:
            return None
        at = p * (len(v) - 1)
        return v[int(at)], v[math.ceil(at)], 0.002 if len(v) > 1024 else 1e-15
    return "quantile(%r)(%s)" % (p, c.name), value, between


def counts(r, columns):
    c = r.choice(columns)
    return r.choice([("count()", len, number), ("count(*)", len, number),
                     ("count(%s)" % c.name, lambda rows: len(known(rows, c)), number)])


def different(r, columns):
    some = [r.choice([c for c in columns if c.kind != "map"]) for _ in range(r.choice([1, 1, 2]))]
    name = r.choice(["count(DISTINCT ", "uniq(", "uniqExact(", "countDistinct("])
    if name == "count(DISTINCT " and len({c.name for c in some}) < len(some):
        some = some[:1]
    return ("%s%s)" % (name, ", ".join(c.name for c in some)), lambda rows: len(
        {json.dumps([str(row[c.name]) for c in some])
         for row in known(rows, *some)}), number)


def at_extreme(r, columns):
    c = r.choice([c for c in columns if c.kind not in ("array", "map")])
    by = r.choice([c for c in columns if c.kind not in ("array", "map")])
    best, name = r.choice([(min, "argMin"), (max, "argMax")])

    def value(rows):
        rows = known(rows, c, by)
        if not rows:
            return None
        edge = best(rank(by, row[by.name]) for row in rows)
        return shown(
            c,
            max((row[c.name] for row in rows if rank(by, row[by.name]) == edge),
                key=functools.partial(rank, c)))
    return "%s(%s, %s)" % (name, c.name, by.name), value, test_of(c)


def some_value(r, columns):
    c = r.choice([c for c in columns if c.kind in ("text", "enum", "bool", "time", "array", "map")])
    return ("%s(%s)" % (r.choice(["any", "anyLast"]), c.name),
            lambda rows: [shown(c, row[c.name]) for row in known(rows, c)], one_of)


def collected(r, columns):
    c = r.choice([c for c in columns if c.kind in ("text", "enum", "bool", "time", "array")])
    if r.random() < .5:
        return ("groupArray(%s)" % c.name,
                lambda rows: [shown(c, row[c.name]) for row in known(rows, c)], bag)
    whole = c.kind == "text"
    return (("coalesce(array_agg(%s), [])" if whole else "groupArray(%s)") % c.name,
            lambda rows: [shown(c, row[c.name])
                          for row in (rows if whole else known(rows, c))], bag)


def logic(r, columns):
    c = r.choice([c for c in columns if c.kind == "bool"])
    name, join = r.choice([("bool_and", all), ("bool_or", any)])
    return ("%s(%s)" % (name, c.name), lambda rows: join(row[c.name] for row in known(rows, c))
            if known(rows, c) else None, exactly)


AGGREGATES = [extreme] * 3 + [total] * 3 + [counts] * 3 + [
    mean, spread, quantile, different, different, at_extreme, at_extreme, some_value, collected,
    logic
]


def aggregate(r, columns):
    text, value, test = r.choice(AGGREGATES)(r, columns)
    if r.random() < .25 and text.endswith(")") and not text.startswith("coalesce"):
        cond, holds = plain.condition(r, columns, 1)
        plainly = not any(w in text for w in ("DISTINCT", "(*)", ")("))
        if r.random() < .5 and plainly and "_" not in text.split("(")[0]:
            name, args = text[:-1].split("(", 1)
            text = "%sIf(%s%s)" % (name, args + ", " if args else "", cond)
        else:
            text = "%s FILTER (WHERE %s)" % (text, cond)
        return text, lambda rows: value([row for row in rows if holds(row) is True]), test
    return text, value, test


# ---- keys ----------------------------------------------------------------------------------------

def key(r, columns):
    """(text, function of a row, shown)"""
    kind = r.random()
    if kind < .2:
        span, name, show = r.choice([(HOUR, "toStartOfHour", tables.print_time(0)),
                                     (DAY, "toStartOfDay", tables.print_time(0)),
                                     (DAY, "toDate", lambda ns: tables.print_time(0)(ns)[:10])])
        return "%s(ts)" % name, lambda row: row["ts"] // span * span, show
    if kind < .3:
        c = r.choice([c for c in columns if c.kind == "array"])
        return "length(%s)" % c.name, lambda row: len(row[c.name]), lambda v: v
    c = r.choice([c for c in columns if c.kind not in ("float", "map")])
    return c.name, lambda row: row[c.name], lambda v: shown(c, v) if c.kind != "decimal" else v


# ---- questions -----------------------------------------------------------------------------------

class Question:
    def __init__(self, r, columns):
        self.where, self.holds = "", lambda row: True
        if r.random() < .6:
            self.where, self.holds = plain.condition(r, columns)
        self.keys = [key(r, columns) for _ in range(r.choice([0, 0, 1, 1, 1, 2, 3]))]
        self.items = [aggregate(r, columns) for _ in range(r.randint(1, 5))]
        self.least = r.choice([0, 0, 2, 20]) if self.keys else 0
        self.text = self.select(r)

    def select(self, r):
        names = ["k%d" % i for i in range(len(self.keys))]
        items = ["%s AS k%d" % (k[0], i) for i, k in enumerate(self.keys)]
        items += ["%s AS a%d" % (a[0], i) for i, a in enumerate(self.items)]
        text = "SELECT %s FROM t" % ", ".join(items)
        if self.where:
            text += " WHERE " + self.where
        if self.keys:
            text += " GROUP BY " + ", ".join(
                r.choice([n, k[0], str(i + 1)]) for i, (n, k) in enumerate(zip(names, self.keys)))
        return text + (" HAVING count() > %d" % self.least if self.least else "")

    def answer(self, rows):
        """{keys as JSON: values}; or ValueError_."""
        groups = {} if self.keys else {"[]": []}
        for row in rows:
            if self.holds(row) is True:
                name = [k[1](row) for k in self.keys]
                name = json.dumps(
                    [None if v is None else str(k[2](v)) for v, k in zip(name, self.keys)])
                groups.setdefault(name, []).append(row)
        # An aggregate without a value is an error, in a group that HAVING leaves out too.
        out = {name: ([a[1](some) for a in self.items], len(some)) for name, some in groups.items()}
        return {
            name: values
            for name, (values, n) in out.items() if n > self.least or not self.least
        }

    def same(self, want, lines):
        """"" or what is wrong with the lines that evagg printed."""
        seen = set()
        for line in lines:
            row = json.loads(line, parse_float=lambda s: s)
            name = json.dumps([self.key_text(row["k%d" % i]) for i in range(len(self.keys))])
            if name not in want or name in seen:
                return "there is no group %s" % name
            seen.add(name)
            for i, (value, a) in enumerate(zip(want[name], self.items)):
                if not a[2](value, row["a%d" % i]):
                    return "group %s: %s is %r, not %r" % (name, a[0], row["a%d" % i], value)
        return "" if len(seen) == len(want) else "%d groups, not %d" % (len(seen), len(want))

    @staticmethod
    def key_text(v):
        if isinstance(v, str) and v.replace("-", "").replace(".", "").isdigit() and "." in v:
            return str(Fraction(v))
        return None if v is None else str(v)
