"""MBFlow: workflow definitions, their executions, and the immutable log of events. No PARTITION BY:
weeks of created_at."""

import json

from rows import NOW, Table, Text, UUID4, later, number, uuid

WORKFLOWS = [("order intake", "active"), ("nightly report", "active"),
             ("Rechnungsprüfung", "draft"), ("old import", "archived")]
NODE_TYPES = ["http", "transform", "llm", "conditional", "merge", "split", "delay", "webhook"]
CONFIGS = [{"url": "https://example.org/hook", "method": "POST",
            "headers": {"X-Key": "a\"b"}}, {"expression": "$.items[*].price"},
           {"model": "gpt-4o", "prompt": "Summarise {{input}} 📄"}, {"if": "total > 100"}, {},
           {"into": 3}, {"ms": 1500}, {"path": "/in"}]
# Both sides of Mondays, of the turn of the year (inside a week) and of a leap day (likewise).
EDGES = ["2024-12-29T23:59:59.999Z", "2024-12-30T00:00:00.000Z", "2024-12-31T23:59:59.999Z",
         "2025-01-01T00:00:00.000Z",
         "2025-01-05T23:59:59.999Z", "2025-01-06T00:00:00.000Z", "2024-02-29T12:00:00.000Z",
         "2024-03-01T12:00:00.000Z"]
STAMPS = {"created_at": 3, "updated_at": 3, "deleted_at": 3, "started_at": 3, "completed_at": 3,
          "last_triggered_at": 3}


def workflow(i):
    return uuid("mbflow workflow %d" % i)


def node(i):
    return uuid("mbflow node %d" % i)


def execution(i):
    return uuid("mbflow execution %d" % i)


def table(name, **fill):
    return Table(name, STAMPS, "created_at", fill={"id": UUID4, "created_at": NOW, **fill})


def spelled(row, **texts):
    """The row as a line, with the values of some columns spelled as given."""
    line = json.dumps({**row, **{k: "@%s@" % k for k in texts}})
    for k, text in texts.items():
        line = line.replace('"@%s@"' % k, text)
    return line


def not_stamped(t, row, *columns):
    """created_at and others may be absent, but neither null nor nonsense."""
    for column in columns:
        t.bad(row, column + ": null in a NOT NULL column", **{column: None})
        t.bad(row, column + ": not a time", **{column: "now()"})


def workflows():
    t = table("workflows", version=1, status="draft", metadata={}, updated_at=NOW)
    for i in range(20):
        name, status = WORKFLOWS[i % 4]
        row = {"id": workflow(i), "name": name, "version": 1 + i // 4, "status": status,
               "created_at": EDGES[i % 8]}
        row["updated_at"] = later(row["created_at"], 3600.5 * i)
        if i % 3 == 0:
            row["description"] = (None, "", "Takes orders in.\nThen \"checks\" them.")[i // 3 % 3]
        if i % 2:
            row["metadata"] = {"owner": "team-%d" % (i % 3), "tags": ["a", "ü"][:i % 3],
                               "limits": {"rps": 1.5 * i}}
        if status == "archived":
            row["deleted_at"] = later(row["updated_at"], 86400)
        t.good(row)
    t.good({"name": "only a name"})
    for status in ("draft", "active", "archived"):
        t.good({"name": "status " + status, "status": status})
    t.good({"name": "n" * 255})
    t.good({"name": "ü" * 254 + "😀"})  # 255 characters, more bytes
    t.good({"name": "", "version": -2147483648, "deleted_at": None, "color": "#ff0000"})
    for text in ("[]", "0", '"text"', "true",
                 '{"big":123456789012345678901234567890,"exact":0.1000}'):
        row = {"name": "metadata " + text}
        t.good_line(spelled(row, metadata=text), {**row, "metadata": text}, metadata=Text(text))

    row = {"name": "w", "status": "active", "created_at": EDGES[5], "updated_at": EDGES[5]}
    t.absent(row, "name")
    t.bad(row, "fails CHECK (char_length(\"name\") <= 255)", name="n" * 256)
    t.bad(row, "fails CHECK (char_length(\"name\") <= 255)", name="ü" * 255 + "😀")
    for status in ("Active", "deleted", ""):
        t.bad(row, "status IN ('draft', 'active', 'archived')", status=status)
    t.bad(row, "status: null in a NOT NULL column", status=None)
    t.bad(row, "fails CHECK", status="much longer than twenty")
    t.bad(row, "version: null in a NOT NULL column", version=None)
    t.bad(row, "metadata: null in a NOT NULL column", metadata=None)
    t.bad(row, "id: not a UUID", id="order-intake")
    t.bad(row, "version: not a number", version="1")
    t.bad_line(spelled(row, metadata="{a:1}"), "column ")
    not_stamped(t, row, "created_at", "updated_at")
    t.bad(row, "deleted_at: not a time", deleted_at="2025-02-30")
    return t


def nodes():
    t = table("nodes", config={}, updated_at=NOW)
    for i in range(24):
        row = {
            "id": node(i), "workflow_id": workflow(i // 8),
            "name": "%s %d" % (NODE_TYPES[i % 8], i), "type": NODE_TYPES[i % 8],
            "config": CONFIGS[i % 8], "position": {"x": 120 * (i % 8), "y": -40.5 * (i // 8)},
            "created_at": EDGES[i % 8], "updated_at": EDGES[i % 8]
        }
        if i % 6 == 5:
            row["position"] = None
        if i % 7 == 6:
            del row["config"], row["id"]
        t.good(row)
    row = {"workflow_id": workflow(0), "name": "n", "type": "http"}
    t.good(row)
    t.good({**row, "position": [1, 2], "name": "x" * 255})

    t.absent(row, "workflow_id", "name", "type")
    for kind in ("HTTP", "email", ""):
        t.bad(row, "type IN ('http', 'transform',", type=kind)
    t.bad(row, "fails CHECK", type="h" * 51)
    t.bad(row, "fails CHECK", name="x" * 256)
    t.bad(row, "workflow_id: not a UUID", workflow_id="")
    t.bad(row, "config: null in a NOT NULL column", config=None)
    t.bad(row, "type: not a string", type=["http"])
    not_stamped(t, row, "created_at", "updated_at")
    return t


def edges():
    t = table("edges")
    for i in range(24):
        row = {
            "id": uuid("mbflow edge %d" % i), "workflow_id": workflow(i // 8),
            "source_node_id": node(i), "target_node_id": node(
                (i + 1 + i // 8) % 24), "created_at": EDGES[(i + 3) % 8]
        }
        if i % 3 == 1:
            row["condition"] = ({"==": [{"var": "status"},
                                        "ok"]}, {}, None, "always", False)[i // 3 % 5]
        t.good(row)
    row = {"workflow_id": workflow(0), "source_node_id": node(0), "target_node_id": node(1)}
    t.good(row)
    t.absent(row, "workflow_id", "source_node_id", "target_node_id")
    t.bad(row, "fails CHECK edges_no_self_reference", target_node_id=node(0))
    t.bad(row, "fails CHECK edges_no_self_reference", target_node_id=node(0).upper())
    t.bad(row, "source_node_id: not a UUID", source_node_id=node(0)[:-1])
    t.bad(row, "id: null in a NOT NULL column", id=None)
    not_stamped(t, row, "created_at")
    return t


def executions():
    t = table("executions", status="pending")
    states = ("pending", "running", "completed", "failed", "cancelled", "paused")
    for i in range(30):
        status, created = states[i % 6], EDGES[i % 8]
        row = {
            "id": execution(i), "workflow_id": workflow(i % 3), "status": status,
            "created_at": created, "input": ({"order": 4700 + i}, [i, "x"], "plain", None)[i % 4]
        }
        if status != "pending":
            row["started_at"] = later(created, 0.25 * i)
        if status in ("completed", "failed"):
            row["completed_at"] = later(created, 2 + number("mbflow took %d" % i, 60000) / 1000)
        if status == "completed":
            row["output"] = {
                "ok": True, "items": [{"id": n, "price": n * 1.25} for n in range(i % 4)]
            }
        if status == "failed":
            row.update(error="node http 3: 502 Bad Gateway\nretries exhausted", output=None)
        t.good(row)
    row = {"workflow_id": workflow(0)}
    t.good(row)
    t.good({
        **row, "started_at": "2025-02-01 00:30:00.123456+01",
        "created_at": "2025-01-06T00:30:00+01:00"
    })
    t.absent(row, "workflow_id")
    for status in ("done", "PENDING", "skipped"):
        t.bad(row, "status IN ('pending', 'running', 'completed', 'failed', 'cancelled', 'paused')",
              status=status)
    t.bad(row, "status: null in a NOT NULL column", status=None)
    t.bad(row, "error: not a string", error={"code": 502})
    t.bad(row, "started_at: not a time", started_at="soon")
    t.bad_line(spelled(row, input='{"a":1'), "column ")
    not_stamped(t, row, "created_at")
    return t


def node_executions():
    t = table("node_executions", status="pending", wave=0, retry_count=0)
    states = ("pending", "running", "completed", "failed", "skipped", "retrying")
    for i in range(36):
        status, created = states[i % 6], EDGES[(i + i // 8) % 8]
        row = {"id": uuid("mbflow node execution %d" % i), "execution_id": execution(i // 6),
               "node_id": node(i % 8),
               "status": status, "wave": i % 6, "created_at": created}
        if i % 2:
            row["node_type"] = NODE_TYPES[i % 8]
        if status in ("completed", "failed", "retrying"):
            row.update(started_at=later(created, 1), retry_count=i % 4, input={"item": i})
        if status == "completed":
            row.update(completed_at=later(created, 1.5), output={"sum": "%d.00" % i})
        if status == "failed":
            row.update(completed_at=later(created, 31), error="timeout after 30s", output=None)
        t.good(row)
    row = {"execution_id": execution(0), "node_id": node(0)}
    t.good(row)
    t.good({**row, "wave": 2147483647, "retry_count": -1, "node_type": "x" * 50})
    t.absent(row, "execution_id", "node_id")
    for status in ("cancelled", "Pending"):
        t.bad(row, "status IN ('pending', 'running', 'completed', 'failed', 'skipped', 'retrying')",
              status=status)
    t.bad(row, "fails CHECK", node_type="x" * 51)
    t.bad(row, "wave: null in a NOT NULL column", wave=None)
    t.bad(row, "wave: out of range", wave=-2147483649)
    t.bad(row, "retry_count: more decimal places", retry_count=0.5)
    not_stamped(t, row, "created_at")
    return t


def events():
    t = table("events", payload={})
    kinds = ("workflow_started", "wave_started", "node_started", "node_retrying", "node_completed",
             "node_failed", "node_skipped",
             "wave_completed", "workflow_completed", "workflow_failed", "workflow_cancelled")
    for i in range(44):
        run, sequence = i // 11, i % 11 + 1
        row = {
            "id": uuid("mbflow event %d" % i), "execution_id": execution(run), "sequence": sequence,
            "event_type": kinds[i % 11], "created_at": later(EDGES[run * 2], 0.007 * sequence)
        }
        if "node" in row["event_type"]:
            row["payload"] = {
                "node_id": node(i % 8), "wave": i % 3, "output": {"n": [i, None, {"é": "\n"}]}
            }
        elif "wave" in row["event_type"]:
            row["payload"] = {"wave": i % 3, "parallel": i % 4 + 1}
        if i % 9 == 8:
            del row["id"]
        t.good(row)
    row = {"execution_id": execution(9), "sequence": 1, "event_type": "workflow_started"}
    t.good(row)
    for sequence in (9007199254740993, 9223372036854775807, -9223372036854775808):
        t.good({**row, "sequence": sequence})
    text = '{"amount":0.30000000000000004,"huge":1e400,"tiny":-0.0,"id":18446744073709551616}'
    t.good_line(spelled(row, payload=text), {**row, "payload": text}, payload=Text(text))
    t.absent(row, "execution_id", "sequence", "event_type")
    t.bad(row, "fails CHECK", event_type="e" * 51)
    t.bad(row, "sequence: out of range", sequence=9223372036854775808)
    t.bad(row, "sequence: not a number", sequence="1")
    t.bad(row, "payload: null in a NOT NULL column", payload=None)
    t.bad_line(spelled(row, sequence="-0"), "sequence: -0, which only floats can hold")
    t.bad_line(spelled(row, payload='"\\x"'), "column ")
    not_stamped(t, row, "created_at")
    return t


def triggers():
    t = table("triggers", config={}, enabled=True)
    kinds = [("manual", None), ("cron", {"expression": "0 3 * * *", "timezone": "Europe/Zürich"}),
             ("interval", {"seconds": 90}),
             ("webhook", {"url": "https://example.org/in?a=1&b=2", "secret": "\\x00"}),
             ("event", {"on": ["order.created"]})]
    for i in range(25):
        kind, config = kinds[i % 5]
        row = {"id": uuid("mbflow trigger %d" % i), "workflow_id": workflow(i % 4), "type": kind,
               "created_at": EDGES[i % 8]}
        if config:
            row["config"] = config
        if i % 3:
            row["enabled"] = i % 3 == 1
        if i % 4 == 2:
            row["last_triggered_at"] = later(row["created_at"], 86400 * i)
        t.good(row)
    row = {"workflow_id": workflow(0), "type": "manual"}
    t.good(row)
    t.good({**row, "last_triggered_at": None, "enabled": False})
    t.absent(row, "workflow_id", "type")
    for kind in ("Cron", "timer"):
        t.bad(row, "type IN ('manual', 'cron', 'webhook', 'event', 'interval')", type=kind)
    t.bad(row, "enabled: not true or false", enabled=1)
    t.bad(row, "enabled: not true or false", enabled="true")
    t.bad(row, "enabled: null in a NOT NULL column", enabled=None)
    not_stamped(t, row, "created_at")
    return t


def tables():
    return [workflows(), nodes(), edges(), executions(), node_executions(), events(), triggers()]
