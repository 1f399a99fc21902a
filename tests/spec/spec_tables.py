"""The tables of spec/segment.md against format/*.h and against the layouts of the second reader.

differences(text) lists in what they differ; tests/spec/run wants it to be empty for the text as it
is, and not to be for any text in which one number or one name of a table is another one (bites()).
"""

import glob
import math
import os
import re

import spec_column
import spec_frames

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
SPEC = os.path.join(ROOT, "spec", "segment.md")

LAYOUTS = {
    "evs_frame_raw": spec_frames.FRAME, "evs_head_raw": spec_frames.HEAD_FIXED,
    "evs_group_raw": spec_frames.GROUP_FIXED, "evs_block_raw": spec_frames.BLOCK,
    "evs_block_dict_raw": spec_frames.BLOCK_DICT,
    "evs_commit_raw": spec_frames.COMMIT_FIXED, "evs_group_ref_raw": spec_frames.GROUP_REF,
    "evs_trailer_raw": spec_frames.TRAILER, "evs_section_raw": spec_frames.SECTION,
    "evs_filter_ref_raw": spec_frames.FILTER_REF, "evs_rollup_ref_raw": spec_frames.ROLLUP_REF,
    "evs_folded_raw": spec_frames.FOLDED, "evs_index_raw": spec_frames.INDEX_FIXED,
    "evs_index_ref_raw": spec_frames.INDEX_REF,
}

# Tables of what has no code yet: section, and bytes in all.
PLACE_KEPT = {"4.4": 128}

ROW = re.compile(r"^\|\s*(\d+) \|\s*(\d+) \| (\w+)\s*\|", re.M)

CAPS = {
    "EVS_FRAME_MAX_PAYLOAD": "payload of a frame | < 2^32",
    "EVS_FRAME_MAX_SUMMED": "summed part of a payload | 2^28",
    "EVS_MAX_COLUMNS": "columns of a stream | 10,000",
    "EVS_MAX_GROUP_ROWS": "rows of a group | 2^20",
    "EVS_MAX_BLOCK": "block, stored or decompressed | 2^30",
    "EVS_ARRAY_MAX_DEPTH": "lists and maps inside each other | 8",
    "EVS_ARRAY_MAX_BYTES":
        "values, offsets or elements of one column of one group | 2,147,418,112 bytes",
    "EVS_MAX_GROUPS": "groups of a commit | 65,536",
    "EVS_MAX_ZONES": "zones of a commit | 2^20",
    "EVS_MAX_ZONE_VALUE": "bytes of a zone's value | 32",
    "EVS_MAX_INDEX_REFS": "references of an INDEX | 65,536",
    "EVS_MAX_SOURCES": "sources of a segment | 65,536",
    "EVS_MAX_SOURCE_ID": "sources of a segment | 65,536, each with an id of 1 to 1,024 bytes",
    "EVS_MAX_NAME": "stream name | 1 to 255 bytes",
    "EVS_MAX_TENANT": "tenant | 4,096 bytes",
    "EVS_MAX_SCHEMA": "schema text | 2^24 bytes",
    "EVS_MAX_DICTIONARY": "bytes of a dictionary | 2^20",
    "EVS_FILTER_MAX_BLOCKS * EVS_FILTER_BLOCK": "bytes of a filter | 2^21",
}

# What has no code yet; and caps that stand in other sections, or are of this reader only.
NO_CAP = ["suite data | 65,536 bytes"]
OTHER_CAPS = ("EVS_MAX_ENCODING_DEPTH EVS_ENC_MAX_E EVS_ENC_MAX_SUFFIX EVS_ENC_MAX_AFFIX "
              "EVS_DECODE_MAX_BYTES")
# Said in words: the pattern, and what it must give.
WORDS = (
    (r"65,536; levels 0 to (\d+) \|", lambda known: known["EVS_INDEX_LEVELS"] - 1),
    (r"2,147,418,112 bytes \(0x([0-9a-f]+)\) \|",
     lambda known: known["EVS_ARRAY_MAX_BYTES"]),
    (r"6\.1-3 reject nodes that lie deeper than (\d+) ",
     lambda known: known["EVS_MAX_ENCODING_DEPTH"]),
)

# Tables of numbers with names: section, and the prefix of these names in the code.
ENUMS = (("3.2", "EVS_FRAME_"), ("6.1", "EVS_NODE_"), ("6.2", "EVS_VALID_"),
         ("7.7", "EVS_SECTION_"))


def spec_text():
    with open(SPEC, encoding="utf-8") as f:
        return f.read()


def headers():
    """format/*.h in one text, without comments."""
    out = []
    for path in sorted(glob.glob(f"{ROOT}/format/*.h")):
        with open(path, encoding="utf-8") as f:
            out.append(f.read())
    return re.sub(r"/\*.*?\*/", "", "\n".join(out), flags=re.S)


def sections(text):
    """(number, heading, body) of each section, the deepest ones."""
    for m in re.finditer(r"^### ([\d.]+) ([^\n]*)\n(.*?)(?=^##)", text, re.M | re.S):
        yield m.groups()


def byte_tables(text):
    """{struct or section: (size, [(offset, size, field)])} of every table with offsets."""
    out = {}
    for number, heading, body in sections(text):
        if not re.search(r"^\| offset \| size \| field", body, re.M):
            continue
        m = re.search(r"`(evs_\w+_raw)`, (\d+) bytes", heading)
        rows = [(int(a), int(b), c) for a, b, c in ROW.findall(body)]
        out[m.group(1) if m else number] = int(m.group(2)) if m else PLACE_KEPT.get(number), rows
    return out


def structs(code):
    """{struct: [(offset, size, field)]} of all structs of the code that lie on disk."""
    out = {}
    for m in re.finditer(r"struct (evs_\w+_raw) \{(.*?)\};", code, re.S):
        at, fields = 0, []
        for name, size in re.findall(r"uint8_t (\w+)(?:\[(\w+)\])?;", m.group(2)):
            size = int(size or 1)
            fields.append((at, size, name))
            at += size
        out[m.group(1)] = fields
    return out


def table_differences(text, code):
    tables, known = byte_tables(text), structs(code)
    out = [f"{name}: not in all of spec, code and reader.py"
           for name in set(tables) ^ (set(known) | set(PLACE_KEPT)) | set(known) ^ set(LAYOUTS)]
    for name, (size, rows) in tables.items():
        at = 0
        for offset, length, field in rows:
            if offset != at:
                out.append(f"{name}.{field}: offset {offset}, but the field before ends at {at}")
            at = offset + length
        if at != size:
            out.append(f"{name}: {at} bytes, not {size}")
        for what, fields in (("format/*.h", known.get(name)),
                             ("reader.py", name in LAYOUTS and LAYOUTS[name].table())):
            if fields and fields != rows:
                out.append(f"{name}: {what} has {sorted(set(fields) ^ set(rows))}")
    return out


def enum_table(text, section):
    """{(number, name)} of the table of a section."""
    body = next(body for number, _, body in sections(text) if number == section)
    return {(int(a), b) for a, b in re.findall(r"^\|\s*(\d+) \| ([A-Z]\w+)\s*\|", body, re.M)}


def enum_differences(text, code):
    out = []
    for section, prefix in ENUMS:
        spec = enum_table(text, section)
        found = {(int(v), n)
                 for n, v in re.findall(rf"\b{prefix}([A-Z][A-Z0-9_]*)\s*=\s*(\d+)", code)}
        if spec != found or not spec:
            out.append(f"{section}: {sorted(spec ^ found)} differ from {prefix}*")
    if enum_table(text, "6.1") != set(spec_column.KINDS.items()):
        out.append("6.1: node kinds of reader.py")
    return out


def defines(code):
    """Constants that are numbers and shifts only."""
    out = {}
    for name, value in re.findall(r"^#define\s+(EVS_\w+)\s+(.+?)\s*$", code, re.M):
        plain = re.sub(r"\(uint\d+_t\)|(?<=[\da-f])u\b", "", value)
        if re.fullmatch(r"[\d\sa-fx()<]+", plain):
            out[name] = eval(plain)
    return out


def cap_rows(text):
    """Where the rows of section 1.5 stand."""
    start = text.index("| what | cap |")
    return re.compile(r"^\| (?!what )(?!-)[^\n]*", re.M).finditer(
        text, start, text.index("\n\n", start))


def cap_differences(text, code):
    """Section 1.5 against the constants, and all constants that are caps of the format."""
    known, out = defines(code), []
    said = [row for row in CAPS.values()] + NO_CAP
    out += [f"1.5 {m.group()!r}: no constant" for m in cap_rows(text)
            if not any(m.group().startswith("| " + row) for row in said)]
    out += [f"{name}: a cap that section 1.5 does not know" for name in known
            if re.match(r"EVS_(\w+_)?MAX_", name) and name not in " ".join(CAPS) + OTHER_CAPS]
    for pattern, of in WORDS:
        found = re.search(pattern, text)
        if not found or int(found[1], 16 if "0x" in pattern else 10) != of(known):
            out.append(f"1.5: {pattern}")
    for name, row in CAPS.items():
        number = re.findall(r"2\^\d+|[\d,]+\d|\d", row.split("|")[1])[-1]
        value = 2 ** int(number[2:]) if "^" in number else int(number.replace(",", ""))
        factors = [known.get(n, 0) for n in name.split(" * ")]
        if f"| {row}" not in text or math.prod(factors) != value:
            out.append(f"1.5 {name}: {factors} in the code, {row!r}")
    return out


def differences(text, code=None):
    code = headers() if code is None else code
    return (table_differences(text, code) + enum_differences(text, code) +
            cap_differences(text, code))


def bites(text):
    """Change each number and each name of a table, take each byte table away: what is not noticed.
    Returns (changes, [those not noticed])."""
    code, tried, missed = headers(), 0, []
    for m in ROW.finditer(text):
        where = text.rindex("\n### ", 0, m.start())
        section = re.match(r"\n### ([\d.]+)", text[where:]).group(1)
        for group in (1, 2) if section in PLACE_KEPT else (1, 2, 3):
            old = m.group(group)
            new = "other" if group == 3 else str(int(old) + 1)
            tried += 1
            if not table_differences(text[:m.start(group)] + new + text[m.end(group):], code):
                missed.append(f"{section} {m.group(3)}: {old} as {new}")
    for section, _ in ENUMS:
        start = text.index(f"\n### {section} ")
        for m in re.compile(r"^\|\s*(\d+) \| ([A-Z]\w+)\s*\|", re.M).finditer(
                text, start, text.index("\n##", start + 1)):
            for group, new in ((1, str(int(m.group(1)) + 100)), (2, "OTHER")):
                tried += 1
                if not enum_differences(text[:m.start(group)] + new + text[m.end(group):], code):
                    missed.append(f"{section} {m.group(2)}: {m.group(group)} as {new}")
    for m in cap_rows(text):
        for n in re.finditer(r"(?<![\w^])\d[\d,]*(?!x)|(?<=\^)\d+|(?<=0x)\w+", m.group()):
            tried += 1
            at = m.start() + n.start()
            if not cap_differences(text[:at] + "7" + text[at:], code):
                missed.append(f"1.5 {m.group()}: {n.group()} as 7{n.group()}")
    for m in re.finditer(r"^\| offset \| size \| field.*?\n\n", text, re.M | re.S):
        tried += 1
        if not table_differences(text[:m.start()] + text[m.end():], code):
            missed.append(f"table at {m.start()} taken away")
    return tried, missed
