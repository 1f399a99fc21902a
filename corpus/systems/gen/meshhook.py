"""MeshHook: events of workflow runs, by month, with ids that the writer gives."""

import json

from rows import NOW, SERIAL, Table, Text, hexid, later, number, uuid

EDGES = [
    "2024-12-31T23:59:59.999999Z", "2025-01-01T00:00:00.000000Z", "2025-01-31T23:59:59.999999Z",
    "2025-02-01T00:00:00Z", "2024-02-29T23:59:59.999999Z", "2024-03-01T00:00:00.000000Z",
    "2025-06-30T23:59:59.999999Z", "2025-07-01T00:00:00Z"
]
RUN = [("run.started", {"trigger": "webhook", "body": {"order": 4711}}),
       ("node.started", {"node": "http-1"}),
       ("node.completed", {"node": "http-1", "status": 200, "ms": 81.25}),
       ("node.started", {"node": "transform-1"}),
       ("node.failed", {"node": "transform-1", "error": "no such field: \"total\""}),
       ("node.retried", {"node": "transform-1", "attempt": 2}),
       ("node.completed", {"node": "transform-1", "output": {"sum": "19.90"}}),
       ("run.completed", {})]
PAYLOADS = [
    '{"n":12345678901234567890123,"d":0.10,"e":1E+2,"z":-0}',
    '{"deep":' + "[" * 40 + "]" * 40 + "}", "[]", '"text"', "7", "false",
    '{"a.b":1,"a":{"b":2},"":3}', '{ "space" : [ 1 , 2 ] }',
    '{"emoji":"\\ud83d\\ude00","nul":"\\u0000"}', '{"nothing":null}'
]


def workflow_events():
    t = Table("workflow_events", {"ts": 6, "created_at": 6}, "ts", unit="month",
              fill={"id": SERIAL, "ts": NOW, "created_at": NOW})
    for run in range(3):
        at = later("2025-01-15T08:00:00", 86400 * 16 * run, 6)
        for step, (kind, payload) in enumerate(RUN):
            at = later(at, 1 + number("meshhook %d %d" % (run, step), 10 ** 6) / 10 ** 6, 6)
            row = {
                "run_id": uuid("meshhook run %d" % run), "ts": at, "type": kind, "payload": payload
            }
            if step % 3 == 2:
                row["id"] = 10 ** 6 * (run + 1) + step
            if step % 4 == 3:
                row["created_at"] = later(at, 0.000123, 6)
            t.good(row)
    row = {
        "run_id": uuid("meshhook run edge"), "type": "note",
        "payload": {"hex": hexid("meshhook", 8)}
    }
    for at in EDGES:
        t.good({**row, "ts": at})
    t.good({**row, "ts": "2025-02-01 01:00:00.5+01"})
    t.good({**row, "ts": "2025-01-31T23:59:59.9999999Z"})
    t.good(row)
    t.good({**row, "id": 9223372036854775807, "tenant": "x"})
    t.good({**row, "id": -9223372036854775808})
    t.good({**row, "id": 9007199254740993})
    t.good({**row, "type": ""})
    for payload in PAYLOADS:
        line = json.dumps({**row, "payload": "@"}).replace('"@"', payload)
        t.good_line(line, {**row, "payload": "@"}, payload=Text(payload))

    t.absent(row, "run_id", "type", "payload")
    t.bad(row, "id: null in a NOT NULL column", id=None)
    t.bad(row, "ts: null in a NOT NULL column", ts=None)
    t.bad(row, "created_at: null in a NOT NULL column", created_at=None)
    t.bad(row, "id: out of range", id=9223372036854775808)
    t.bad(row, "id: not a number", id="1")
    t.bad(row, "run_id: not a UUID", run_id="some-uuid")
    t.bad(row, "type: not a string", type=1)
    t.bad(row, "ts: not a time", ts="2025-13-01T00:00:00Z")
    t.bad(row, "ts: not a time", ts="")
    t.bad_line(json.dumps({**row, "payload": "@"}).replace('"@"', "{'a':1}"), "column ")
    t.bad_line(json.dumps({**row, "payload": "@"}).replace('"@"', "[1,]"), "column ")
    t.bad_line(json.dumps({**row, "payload": "@"}).replace('"@"', ""), "column ")
    return t


def tables():
    return [workflow_events()]
