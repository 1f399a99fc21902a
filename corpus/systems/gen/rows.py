"""A table's lines, what must become of each, and the values to make them of.

Nothing here is random: what looks so is a hash of a label, the same on every machine and version of
Python.
"""

import hashlib
import json
import re
from datetime import date, datetime, timedelta

NOW = "2025-01-31T23:59:59.987654321Z"  # a Friday, in the last moment of a month
UUID4 = "<uuid4>"
SERIAL = "<serial>"

TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?")
SPELLINGS = (  # of the same JSON, in turns
    dict(separators=(",", ":"), ensure_ascii=False),
    dict(separators=(", ", ": "), ensure_ascii=False),
    dict(separators=(",", ":"), ensure_ascii=True),
)


# ---- values --------------------------------------------------------------------------------------

def number(label, below):
    """A number in 0 .. below - 1."""
    return int.from_bytes(hashlib.blake2b(label.encode(), digest_size=8).digest(), "big") % below


def pick(label, choices):
    return choices[number(label, len(choices))]


def uuid(label):
    h = hashlib.blake2b(label.encode(), digest_size=16).hexdigest()
    return "%s-%s-4%s-%s%s-%s" % (h[:8], h[8:12], h[13:16], "89ab"[int(h[16], 16) % 4], h[17:20],
                                  h[20:])


def hexid(label, digits):
    return hashlib.blake2b(label.encode(), digest_size=32).hexdigest()[:digits]


def later(start, seconds, digits=3):
    """The time `seconds` after `start`, in UTC with that many digits."""
    base = datetime.strptime(start[:19], "%Y-%m-%dT%H:%M:%S") + timedelta(seconds=seconds)
    text = base.strftime("%Y-%m-%dT%H:%M:%S")
    return "%s.%sZ" % (text, ("%06d" % base.microsecond)[:digits]) if digits else text + "Z"


# ---- what becomes of a time ----------------------------------------------------------------------

def utc(text):
    """(datetime of the whole second in UTC, digits of its fraction) of a time as a row may spell
    it."""
    m = TIME.fullmatch(text)
    if not m:
        raise ValueError("no time: %r" % text)
    at = datetime(*[int(g or 0) for g in m.groups()[:6]])
    zone = m[8] or "Z"
    if zone != "Z":
        minutes = int(zone[1:3]) * 60 + int(zone[-2:] if len(zone) > 3 else 0)
        at -= timedelta(minutes=minutes if zone[0] == "+" else -minutes)
    return at, m[7] or ""


def stored_time(text, digits):
    at, fraction = utc(text)
    tail = "." + (fraction + "0" * digits)[:digits] if digits else ""
    return "%04d-%s%sZ" % (at.year, at.strftime("%m-%dT%H:%M:%S"), tail)


def first_day(text, unit):
    at = utc(text)[0]
    day = date(at.year, at.month, at.day)
    return day.replace(day=1) if unit == "month" else day - timedelta(days=day.weekday())


# ---- a table -------------------------------------------------------------------------------------

class Table:
    """times: {column: digits}. time: the column that rows are parted by, None for the time of
    arrival. unit: "week" or "month". tenant: a column or None. fill: {column: what the writer puts
    where a row has none}, a value, UUID4, SERIAL or NOW. unknown: fields that the schema does not
    have, whose nulls come back."""

    def __init__(self, name, times, time, unit="week", tenant=None, fill=None, unknown=()):
        self.name, self.times, self.time, self.unit, self.tenant = name, times, time, unit, tenant
        self.fill, self.unknown = fill or {}, unknown
        self.lines, self.back, self.rejects, self.segments = [], [], [], set()

    def good(self, row, **differs):
        """A row, and what comes back otherwise than it went in."""
        shape = SPELLINGS[len(self.lines) % len(SPELLINGS)]
        keys = list(row)
        if len(self.lines) % 4 == 3:
            keys.reverse()
        self.good_line(json.dumps({k: row[k] for k in keys}, **shape), row, **differs)

    def good_line(self, line, row, **differs):
        """The same, for a line that is spelled by hand."""
        back = {k: v for k, v in row.items() if v is not None or k in self.unknown}
        for column, value in self.fill.items():
            if column not in row:
                back[column] = NOW if value is NOW else value
        for column, digits in self.times.items():
            if column in back:
                back[column] = stored_time(back[column], digits)
        back.update(differs)
        self.lines.append(line)
        self.back.append(back)
        tenant = back[self.tenant] if self.tenant else "_"
        day = first_day(back[self.time] if self.time else NOW, self.unit)
        self.segments.add("%s/%s.evs" % (tenant, day.isoformat()))

    def bad(self, row, reason, **fields):
        """A row, without those fields that are given as `...`, that is refused for this reason."""
        row = {k: v for k, v in {**row, **fields}.items() if v is not ...}
        self.bad_line(json.dumps(row, **SPELLINGS[len(self.lines) % len(SPELLINGS)]), reason)

    def bad_line(self, line, reason):
        self.lines.append(line)
        self.rejects.append({"line": len(self.lines), "reason": reason})

    def absent(self, row, *columns):
        """For each column: the row without it, and the row with null in it."""
        for column in columns:
            self.bad(row, "%s: absent, and the column is NOT NULL" % column, **{column: ...})
            self.bad(row, "%s: null in a NOT NULL column" % column, **{column: None})

    def write(self, folder):
        for sub in ("rows", "expect"):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        put(folder / "rows" / (self.name + ".ndjson"), self.lines)
        put(folder / "expect" / (self.name + ".ndjson"), [spell(row) for row in self.back])
        put(folder / "expect" / (self.name + ".rejects.ndjson"),
            [spell(reject) for reject in self.rejects])
        put(folder / "expect" / (self.name + ".segments"), sorted(self.segments))


class Text(str):
    """JSON that stands in an expected row as it is spelled here: for numbers that Python would
    change."""


def spell(row):
    def text(value):
        return value if isinstance(value, Text) else json.dumps(value, **SPELLINGS[0])
    return "{%s}" % ",".join("%s:%s" % (text(k), text(v)) for k, v in row.items())


def put(path, lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n")
