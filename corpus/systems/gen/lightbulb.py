"""lightbulb: services, how they are, what they measure and log, by month; and their configuration,
by arrival."""

import json

from rows import Table, hexid, later, number, pick

SERVICES = [("temporal-orders", "Orders (Temporal)", "temporal_workflow", "backend"),
            ("py-ingest", "Ingest", "python_process", "data"),
            ("py-labels", "Étiquettes", "python_process", "data"),
            ("pg-main", "PostgreSQL", "database", "storage"),
            ("web", "Web \"front\"", "http", "frontend")]
STATES = ["OK", "DEGRADED", "FAILED", "STARTING", "STOPPED", "UNKNOWN"]
EDGES = ["2024-12-31T23:59:59.999Z", "2025-01-01T00:00:00.000Z", "2025-01-31T23:59:59.999Z",
         "2025-02-01T00:00:00.000Z",
         "2025-02-28T23:59:59.999Z", "2025-03-01T00:00:00.000Z"]


def when(i):
    return EDGES[i % 6] if i < 12 else later(EDGES[3], 30 * i)


def service_status():
    t = Table("service_status", {"timestamp": 3}, "timestamp", unit="month")
    for i in range(36):
        name, label, kind, stack = SERVICES[i % 5]
        code = (0, 0, 0, 1, 0, 2, 0, 3, 4, 5)[i % 10]
        row = {"service_id": name, "timestamp": when(i), "status_code": code,
               "message": "%s is %s" % (label, STATES[code]),
               "service_type": kind, "stack": stack,
               "details": json.dumps({"checked_by": "probe-%d" % (i % 3), "attempt": i})}
        if code not in (2, 4, 5):
            row.update(response_time_ms=3 + number("lightbulb ms %d" % i, 400),
                       cpu_usage=(i * 37 % 1000) / 8,
                       memory_usage=(0.1, 12.5, 99.9, 3e-05)[i % 4])
        elif code == 5:
            row.update(response_time_ms=None, cpu_usage=None, memory_usage=None)
        t.good(row)
    for cpu in (3.4028235e38, 1e-45, 16777216, 0.33333334, -0.0):
        t.good({**row, "cpu_usage": cpu, "timestamp": EDGES[1]})
    t.good(
        {**row, "status_code": 255, "response_time_ms": 4294967295, "message": "", "details": ""})
    t.good(
        {**row, "status_code": 0, "response_time_ms": 0, "host": "node-7", "labels": {"zone": "b"}})

    t.absent(row, "service_id", "timestamp", "status_code", "message", "service_type", "stack",
             "details")
    t.bad(row, "status_code: out of range", status_code=256)
    t.bad(row, "status_code: out of range", status_code=-1)
    t.bad(row, "status_code: not a number", status_code="OK")
    t.bad(row, "response_time_ms: out of range", response_time_ms=4294967296)
    t.bad(row, "response_time_ms: more decimal places", response_time_ms=12.75)
    t.bad(row, "cpu_usage: more digits than the type has", cpu_usage=33.333333333333336)
    t.bad(row, "cpu_usage: more digits than the type has", cpu_usage=0.333333343)
    t.bad(row, "memory_usage: more digits than the type has", memory_usage=16777217)
    t.bad(row, "memory_usage: out of range", memory_usage=1e39)
    t.bad(row, "details: not a string", details={"attempt": 1})
    t.bad(row, "timestamp: not a time", timestamp="2025-01-01T00:00:60Z")
    return t


def service_metrics():
    t = Table("service_metrics", {"timestamp": 3}, "timestamp", unit="month")
    names = [("requests_total", "1"), ("latency_p95", "ms"), ("queue_depth", "1"),
             ("temperature", "°C")]
    tags = [{}, {"host": "node-1"},
            {"host": "node-2", "path": "/v1/orders/{id}", "k.with.dots": "a"},
            {"quote\"d": "back\\slash", "": "empty key", "Ключ": "значение", "last": ""}]
    values = [
        0, 1, 1.5, -0.25, 1e300, 0.1, 98765.4321, 2.2250738585072014e-308, -0.0, 4503599627370496.5
    ]
    for i in range(40):
        name, unit = names[i % 4]
        t.good({"service_id": SERVICES[i % 5][0], "timestamp": when(i), "metric_name": name,
                "metric_value": values[i % 10],
                "metric_unit": unit, "tags": tags[i // 4 % 4]})
    row = {
        "service_id": "web", "timestamp": EDGES[0], "metric_name": "requests_total",
        "metric_value": 1, "metric_unit": "1", "tags": {"host": "node-1"}
    }
    t.good({**row, "tags": {"label%02d" % i: hexid("lightbulb %d" % i, 6) for i in range(40)}})
    t.good({**row, "timestamp": "2025-01-01T00:59:59.999+01:00"})

    t.absent(row, "service_id", "timestamp", "metric_name", "metric_value", "metric_unit", "tags")
    t.bad(row, "tags: not an object", tags=["host"])
    t.bad(row, "tags: not a string", tags={"port": 8080})
    t.bad(row, "tags: null inside", tags={"host": None})
    t.bad(row, "metric_value: not a number", metric_value="1")
    t.bad(row, "metric_value: not a number", metric_value=[1])
    t.bad_line(
        json.dumps(row).replace('"node-1"', '"a", "host": "b"'), "tags: a key that comes twice")
    t.bad_line(
        json.dumps(row).replace('_value": 1', '_value": 1e309'), "metric_value: out of range")
    t.bad_line(json.dumps(row).replace('_value": 1', '_value": 01'), "column ")
    t.bad_line(json.dumps(row).replace('_value": 1', '_value": Infinity'), "column ")
    return t


def service_logs():
    t = Table("service_logs", {"timestamp": 3}, "timestamp", unit="month")
    for i in range(36):
        name = SERVICES[i % 5][0]
        level = pick("lightbulb level %d" % i, ["INFO", "INFO", "DEBUG", "WARN", "ERROR"])
        row = {"service_id": name, "timestamp": when(i), "log_level": level,
               "message": ("Connection from 10.0.0.%d closed after %d ms" % (i, i * 17),
                           "GET /v1/orders/%d 200" % (4700 + i),
                           "job %s done" % hexid("lightbulb job %d" % i, 12))[i % 3],
               "source": ("server.py:%d" % (100 + i), "nginx", "")[i % 3], "context": {}}
        if level == "ERROR":
            row.update(
                error_code="E%d" % (500 + i),
                context={"request_id": hexid("lightbulb request %d" % i, 32)},
                stack_trace=
                "Traceback (most recent call last):\n  File \"server.py\", line %d\n\tKeyError: 'ö'\n"
                % i)
        elif i % 4 == 0:
            row.update(error_code=None, stack_trace=None, context={"retry": str(i)})
        t.good(row)
    t.lines.append("")  # a blank line is a line, but no row
    t.good({**row, "message": "after a blank line"})
    t.lines.append(" \t")
    t.good(
        {**row, "message": "control: \u0001 \u001b[31mred\u001b[0m, nul: \u0000, quote: \", end"})
    t.good_line('{"service_id":"web","timestamp":"2025-01-01T00:00:00Z","log_level":"\\u0049NFO",'
                '"message":"\\ud83d\\ude00\\/\\b\\f",'
                '"source":"","context":{"\\u0061":"\\n"}}',
                {"service_id": "web", "timestamp": "2025-01-01T00:00:00Z", "log_level": "INFO",
                 "message": "😀/\b\f",
                 "source": "", "context": {"a": "\n"}})

    t.absent(row, "service_id", "timestamp", "log_level", "message", "source", "context")
    t.bad(row, "error_code: not a string", error_code=500)
    t.bad(row, "context: not an object", context="request_id=1")
    t.bad_line(json.dumps({**row, "message": "\udc00 half"}), "message: half a surrogate pair")
    tabbed = json.dumps(row)
    for word in ("GET ", "job ", "Connection "):
        tabbed = tabbed.replace(word, word + "\t")
    t.bad_line(tabbed, "column ")
    t.bad_line(json.dumps(row)[:-1], "column ")
    t.bad_line("INFO 2025-01-01 00:00:00 plain text", "column 1: expected '{'")
    return t


def services():
    t = Table("services", {}, None)
    for i in range(25):
        name, label, kind, stack = SERVICES[i % 5]
        t.good({
            "service_id": name if i < 5 else "%s-%d" % (name, i), "label": label,
            "service_type": kind, "stack": stack,
            "status_config": json.dumps({"url": "http://%s/health" % name, "timeout_s": 5 + i}),
            "metric_config": json.dumps({"metrics": ["cpu", "memory"][:i % 3]}),
            "enabled": int(i % 4 != 3)
        })
    row = {
        "service_id": "late", "label": "", "service_type": "http", "stack": "", "status_config": "",
        "metric_config": "{}", "enabled": 1
    }
    t.good({**row, "owner": "team-a"})
    t.absent(row, "service_id", "label", "service_type", "stack", "status_config", "metric_config",
             "enabled")
    t.bad(row, "enabled: not a number", enabled=True)
    t.bad(row, "enabled: out of range", enabled=1000)
    t.bad(row, "status_config: not a string", status_config={"url": "http://late/health"})
    return t


def service_relations():
    t = Table("service_relations", {}, None)
    for i in range(20):
        source, target = SERVICES[i % 5][0], SERVICES[(i + 1 + i // 5) % 5][0]
        row = {
            "relation_id": "%s->%s#%d" % (source, target, i), "source_service_id": source,
            "target_service_id": target, "relation_type": ("depends_on", "calls", "reads_from",
                                                           "writes_to")[i % 4], "enabled": i % 2
        }
        t.good(row)
    t.absent(row, "relation_id", "source_service_id", "target_service_id", "relation_type",
             "enabled")
    t.bad(row, "enabled: not a number", enabled="yes")
    t.bad(row, "relation_type: not a string", relation_type=3)
    return t


def alert_rules():
    t = Table("alert_rules", {}, None)
    channels = [[], ["#ops"], ["#ops", "mailto:oncall@example.org", "pagerduty:Ünïcode"],
                ["a,b", "[\"c\"]", ""]]
    for i in range(20):
        row = {
            "rule_id": "rule-%03d" % i, "service_id": SERVICES[i % 5][0],
            "rule_name": "rule %d" % i, "condition": ("cpu_usage > threshold", "status_code = 2",
                                                      "avg(response_time_ms) > threshold")[i % 3],
            "threshold": (0, 0.95, 5, 250.5, -1, 1e-9)[i % 6],
            "severity": ("info", "warning", "critical")[i % 3],
            "notification_channels": channels[i % 4]
        }
        t.good(row)
    t.good({
        **row, "rule_id": "rule-many",
        "notification_channels": ["#team-%d" % i for i in range(200)]
    })
    t.absent(row, "rule_id", "service_id", "rule_name", "condition", "threshold", "severity",
             "notification_channels")
    t.bad(row, "notification_channels: not an array", notification_channels="#ops")
    t.bad(row, "notification_channels: not an array", notification_channels={"0": "#ops"})
    t.bad(row, "notification_channels: null inside", notification_channels=[None])
    t.bad(row, "notification_channels: not a string", notification_channels=[["#ops"]])
    t.bad(row, "threshold: not a number", threshold="0.95")
    return t


def tables():
    return [service_status(), service_metrics(), service_logs(), services(), service_relations(),
            alert_rules()]
