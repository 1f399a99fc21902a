"""What the ledger of evexpire must say of a state, and of what came out of it (spec/store.md 10.3)."""

import json
import re

from scenarios import ARCHIVE, STREAM

LEDGER = STREAM + "/expired.ndjson"
KEEP = STREAM + "/keep.json"
KNOWN = re.compile(r"""store/t/(keep\.json(\.tmp)?|expire\.lock|expired\.ndjson(\.tail-\d+(-\d+)?\.ndjson)?)
    | archive | archive/t | archive/t/(schema\.(sql|sql\.tmp|lock)|a|b|c)
    | archive/t/(a|b|c)/\d{4}-\d\d-\d\d\.evs(\.tail-\d+(-\d+)?)?""", re.X)


def lines_of(files):
    """Lines of the ledger that are whole, and whether others follow."""
    text = files.get(LEDGER) or b""
    text, cut = (text[:text.index(b"\0")], True) if b"\0" in text else (text, False)
    out = []
    for line in text.splitlines(keepends=True):
        try:
            out.append(json.loads(line))
            cut |= not line.endswith(b"\n")
        except ValueError:
            return out, True
    return out, cut


def said_of(lines, path, first):
    """Lines of a segment that were not there before."""
    return [x for x in lines[len(lines_of(first)[0]):] if STREAM + "/" + x["segment"] == path]


def judge(first, files, gone, say):
    """A state as power left it: no segment is missing without a line, and no line lies."""
    keep = json.loads(files.get(KEEP) or b"{}")
    if keep not in ({}, {"a": "forever"}, {"a": "forever", "b": "forever"}) or \
            not keep and first.get(KEEP):
        say("keep.json is neither the old one nor the new one", keep)
    lines, _ = lines_of(files)
    for path in gone:
        said = said_of(lines, path, first)
        there = files.get(path, b"").startswith(first[path])  # perhaps with more behind it
        if not there and not said:
            say("a segment is gone and the ledger knows nothing of it", path)
        if said and said[-1]["what"] == "dropped" and there:
            say("the ledger says dropped of a segment that is there", path)
        if any(not x.get("hash") or not x.get("rows") for x in said):
            say("the ledger does not say what a segment held", said[0])
        if not there and ARCHIVE + path[len("store"):] != path and "archive" in "".join(files) and \
                files.get(ARCHIVE + path[len("store"):]) != first[path]:
            say("a segment is gone and its archive is not the same", path)


def settled(first, files, gone, again, say):
    """After the next run: every line has its answer, and the answer is true."""
    lines, cut = lines_of(files)
    if cut:
        say("the ledger has a line that is none")
    for path in gone:
        whats = [x["what"] for x in said_of(lines, path, first)]
        if whats[0::2] != ["drop"] * len(whats[1::2]) or not set(whats[1::2]) <= {"kept", "dropped"}:
            say("a line of the ledger has no answer", path, whats)
        if whats.count("dropped") > 1 or "dropped" in whats[:-1]:
            say("the ledger says twice that a segment was dropped", path, whats)
        if again and whats[-1:] != ["dropped"]:
            say("the ledger does not say that it was dropped", path, whats)
        if not again and ("dropped" in whats) == (files.get(path, b"").startswith(first[path])):
            say("the ledger does not tell what became of a segment", path, whats)
        if "dropped" in whats and (tails := [p for p in files if p.startswith(path + ".tail-")]):
            say("what was set aside from a segment is still there", tails)
