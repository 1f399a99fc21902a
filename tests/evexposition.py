#!/usr/bin/env python3
"""Is a file valid in Prometheus' text format 0.0.4, by the rules of promtool? usage:
evexposition.py FILE...

The format: https://prometheus.io/docs/instrumenting/exposition_formats/; promtool's own rules
(`promtool check metrics`): help for every metric, names without a unit's abbreviation, no suffix of
counters or histograms on others. Prints each breach with its line; exit status 1 when there is one.
"""

import math
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*,?)?\})? (\S+)(?: (-?\d+))?" % (NAME, LABEL, LABEL))
TYPES = ("counter", "gauge", "histogram", "summary", "untyped")
ABBREVIATIONS = ("s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d")


def number(text):
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def breaches(text):
    helped, typed, ended, series, current = {}, {}, set(), set(), None
    if not text.endswith("\n"):
        yield 0, "the last line has no newline"
    for no, line in enumerate(text.split("\n")[:-1], 1):
        comment = re.fullmatch(r"# (HELP|TYPE) (%s)(?: (.*))?" % NAME, line)
        if not line or line.startswith("#") and not line.startswith(("# HELP", "# TYPE")):
            continue
        if line.startswith("#") and not comment:
            yield no, "not a HELP or TYPE"
            continue
        sample = None if comment else SAMPLE.fullmatch(line)
        if not comment and not sample:
            yield no, "not a sample"
            continue
        name = comment[2] if comment else sample[1]
        if name != current:
            if name in ended:
                yield no, "lines of %s do not stand together" % name
            ended.add(current)
            current = name
        if comment:
            table = helped if comment[1] == "HELP" else typed
            if name in table:
                yield no, "a second %s of %s" % (comment[1], name)
            if comment[1] == "TYPE" and comment[3] not in TYPES:
                yield no, "no such type: %s" % comment[3]
            if comment[1] == "TYPE" and any(s[0] == name for s in series):
                yield no, "TYPE behind a sample of %s" % name
            table[name] = comment[3]
            continue
        if name not in helped or not helped[name]:
            yield no, "no help for %s" % name
        kind = typed.get(name, "untyped")
        if kind != "counter" and name.endswith("_total"):
            yield no, "%s is no counter, and ends in _total" % name
        if kind == "counter" and not name.endswith("_total"):
            yield no, "%s is a counter, and does not end in _total" % name
        if kind not in ("histogram", "summary") and name.endswith(("_count", "_sum", "_bucket")):
            yield no, "%s has the suffix of a histogram" % name
        if name.split("_")[-1] in ABBREVIATIONS or re.search(r"[A-Z]", name):
            yield no, "%s: units are written out, names in lower case" % name
        labels = tuple(sorted(re.findall(LABEL, sample[2] or "")))
        if len({x.split("=")[0] for x in labels}) != len(labels):
            yield no, "a label twice"
        if (name, labels) in series:
            yield no, "the same series twice"
        series.add((name, labels))
        value = number(sample[3])
        if value is None:
            yield no, "no number: %s" % sample[3]
        elif kind == "counter" and (value < 0 or math.isnan(value)):
            yield no, "a counter below zero"


PLANTED = {
    "a 1": 1,
    "# HELP a b\na 1\n": 0,
    "# HELP a b\n# TYPE a gauge\na{x=\"\\\"\\\\\\n\"} 1.5e3\n": 0,
    "a 1\n": 1,
    "# HELP a b\na{x=\"1\"} 1\na{x=\"1\"} 2\n": 1,
    "# HELP a b\na{x=\"\n\"} 1\n": 2,
    "# HELP a b\na one\n": 1,
    "# HELP a b\na 1\n# HELP c d\nc 1\na{x=\"2\"} 1\n": 1,
    "# HELP a b\na 1\n# TYPE a gauge\n": 1,
    "# HELP a_total b\n# TYPE a_total gauge\na_total 1\n": 1,
    "# HELP a-b c\n": 1,
    "# HELP a b\n# HELP a b\n": 1,
    "# HELP a_ms b\na_ms 1\n": 1,
    "# HELP a b\na{x=\"1\",x=\"2\"} 1\n": 1,
    "# HELP a b\na{9=\"1\"} 1\n": 1,
    "# HELP a_count b\na_count 1\n": 1,
    "# HELP a b\n# TYPE a thing\na 1\n": 1,
    "# HELP a b\na 1_0\n": 1,
}


def main():
    bad = 0
    for text, want in PLANTED.items():
        if len(list(breaches(text))) != want:
            bad += 1
            print("planted %r: found %s" % (text, list(breaches(text))))
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as f:
            for no, what in breaches(f.read()):
                bad += 1
                print("%s:%d: %s" % (path, no, what))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
