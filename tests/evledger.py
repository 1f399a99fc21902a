"""What the ledger of evexpire must say of a state of a store, and of what came out of it
(spec/store.md 10.3).

A state is a dict: path -> bytes, None for a folder. `gone` are segments that were to go, `first`
the state before.
"""

import json

def lines_of(files, stream):
    """Lines of the ledger that are whole, and whether others follow."""
    text = files.get(stream + "/expired.ndjson") or b""
    text, cut = (text[:text.index(b"\0")], True) if b"\0" in text else (text, False)
    out = []
    for line in text.splitlines(keepends=True):
        try:
            out.append(json.loads(line))
            cut |= not line.endswith(b"\n")
        except ValueError:
            return out, True
    return out, cut


def said_of(files, path, first, stream):
    """Lines of a segment that were not there before."""
    lines = lines_of(files, stream)[0][len(lines_of(first, stream)[0]):]
    return [x for x in lines if stream + "/" + x["segment"] == path]


def judge(first, files, gone, stream, say, archive=None):
    """A state as power left it: no segment is missing without a line, and no line lies."""
    for path in gone:
        said = said_of(files, path, first, stream)
        there = files.get(path, b"").startswith(first[path])  # perhaps with more behind it
        if not there and not said:
            say("a segment is gone and the ledger knows nothing of it", path)
        if said and said[-1]["what"] == "dropped" and there:
            say("the ledger says dropped of a segment that is there", path)
        if any(not x.get("hash") or not x.get("rows") for x in said):
            say("the ledger does not say what a segment held", said[0])
        if archive and not there and files.get(archive + path[len(stream):]) != first[path]:
            say("a segment is gone and its archive is not the same", path)


def settled(first, files, gone, stream, again, say):
    """After the next run: every line has its answer, and the answer is true."""
    if lines_of(files, stream)[1]:
        say("the ledger has a line that is none")
    for path in gone:
        whats = [x["what"] for x in said_of(files, path, first, stream)]
        if whats[0::2] != ["drop"] * len(whats[1::2]) or not set(
                whats[1::2]) <= {"kept", "dropped"}:
            say("a line of the ledger has no answer", path, whats)
        if whats.count("dropped") > 1 or "dropped" in whats[:-1]:
            say("the ledger says twice that a segment was dropped", path, whats)
        if again and whats[-1:] != ["dropped"]:
            say("the ledger does not say that it was dropped", path, whats)
        if not again and ("dropped" in whats) == (files.get(path, b"").startswith(first[path])):
            say("the ledger does not tell what became of a segment", path, whats)
        if "dropped" in whats and (tails := [p for p in files if p.startswith(path + ".tail-")]):
            say("what was set aside from a segment is still there", tails)
