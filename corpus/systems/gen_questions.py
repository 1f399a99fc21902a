#!/usr/bin/env python3
"""Rows for the five systems' questions, and their answers by SQLite: gen_questions.py ROWS [--answers]

Writes ROWS/SYSTEM/TABLE.ndjson, rows as evcat prints them, for the questions in SYSTEM/queries/NAME.sql (the text is the
documents' own) and NAME.sh (a line for evcat where evseg has a tool for what the document does in SQL). With --answers the
answers are written to SYSTEM/queries/NAME.ndjson; without, they must be what stands there (exit status 1).
Nothing here is random, and no code is shared with evseg.
"""

import json
import sqlite3
import sys
from datetime import datetime, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "gen"))
sys.dont_write_bytecode = True

from rows import NOW, hexid, number, pick, uuid

END = datetime(2025, 1, 31, 23, 59, 59)
RUN = "5c1d7a6e-0f3b-4a52-9d57-2f2f8a3c9e10"


def before(seconds, digits=3):
    """The time so many seconds before the last second of the month."""
    at = END - timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + ".%sZ" % ("%06d" %
                                                        (seconds * 7919 % 1000000))[:digits]


def spread(i, days):
    """Seconds back: most of the first hundred in the last day, the rest over `days`."""
    return number("age %d" % i, 86400) if i < 100 else number("age %d" % i, days * 86400)


# ---- rows, columns in the order of their schema --------------------------------------------------

def llm_events():
    for i in range(600):
        kind = pick("kind %d" % i,
                    ["prompt_call", "prompt_call", "prompt_call", "tool_call", "agent_step"])
        row = {
            "event_id": "evt_" + hexid("question %d" % i, 24),
            "project_id": pick("project %d" % i, ["your-project", "your-project", "other"]),
            "run_id": "run-%d" % (i % 40), "timestamp": before(spread(i, 40)), "event_type": kind,
            "env": "production", "tags": []
        }
        if kind == "prompt_call":
            row["model"] = pick("model %d" % i, ["gpt-4o-mini", "gpt-4o", "claude-3-5-sonnet"])
            row["tokens_input"] = number("in %d" % i, 4000)
            row["tokens_output"] = number("out %d" % i, 900)
            if i % 17:
                row["cost_estimate_usd"] = round(number("cost %d" % i, 100000) * 1e-6, 6)
            if i % 11:
                row["latency_ms"] = number("ms %d" % i, 5000)
        if kind != "tool_call" or i % 2:
            row["status"] = pick("status %d" % i, ["success", "success", "error", "timeout"])
        yield row
    yield {
        "event_id": "test-001", "project_id": "proj-test", "run_id": "run-001",
        "timestamp": "2025-01-15T10:30:00.000Z", "event_type": "prompt_call", "env": "development",
        "tags": ["test"], "prompt": "Hello, world!", "model": "gpt-4o-mini", "tokens_input": 10,
        "tokens_output": 20, "cost_estimate_usd": 0.0001, "response": "Hi there!",
        "latency_ms": 150, "status": "success"
    }


def agent_steps():
    for i in range(60):
        run, step = pick("steps %d" % (i // 6), ["your-run-id", "run-a", "run-b"]), i % 6 + 1
        run = run if i // 6 else "your-run-id"
        yield {
            "step_id": "step_%d" % i, "event_id": "evt_%d" % i,
            "run_id": run if i < 6 or run != "your-run-id" else "run-c",
            "project_id": "your-project", "timestamp": before(3600 - 10 * i), "step_number": step,
            "step_name": pick("step %d" % i, ["plan", "call tool", "answer"]),
            "step_type": pick("type %d" % i, ["thought", "action", "observation", "final"]),
            "model": "gpt-4o", "step_input_data": "{}", "step_output_data": "{}", "tokens_input": i,
            "tokens_output": 2 * i, "latency_ms": 100 + i, "status": "success"
        }


def service_status():
    services = ["temporal-orders", "py-ingest", "py-labels", "java-billing"]
    for i in range(500):
        service = pick("service %d" % i, services)
        bad = number("code %d" % i, 100)
        age = number("recent %d" % i, 3000) if i < 60 else spread(i, 20) + 3601
        row = {
            "service_id": service, "timestamp": before(age),
            "status_code": 2 if bad < 9 * services.index(service) else 0, "message": "check %d" % i,
            "service_type": "python_process", "stack": "backend", "details": "{}"
        }
        if i % 7:
            row["response_time_ms"] = number("response %d" % i, 900)
        yield dict(row, cpu_usage=i / 8, memory_usage=i / 4)


def workflow_events():
    for i in range(300):
        run = RUN if i % 23 == 0 else uuid("run %d" % (i % 30))
        at = before(number("event age %d" % i, 70 * 86400), 6)
        yield {
            "id": i + 1, "run_id": run, "ts": at,
            "type": pick("type %d" % i, ["run.started", "node.completed", "run.failed"]),
            "payload": {"n": i}, "created_at": at
        }


def executions():
    for i in range(200):
        status = pick("execution %d" % i,
                      ["pending", "running", "completed", "completed", "failed"])
        made = spread(i, 30) + 700
        row = {
            "id": uuid("execution %d" % i), "workflow_id": uuid("workflow %d" % (i % 5)),
            "status": status
        }
        if status != "pending":
            row["started_at"] = before(made - 1)
        if status in ("completed", "failed"):
            row["completed_at"] = before(made - 1 - number("took %d" % i, 600))
        yield dict(row, created_at=before(made))


def events():
    """The k-th execution has 3k events, so that no two have as many."""
    n = 0
    for k in range(1, 16):
        for sequence in range(1, 3 * k + 1):
            n += 1
            yield {
                "id": uuid("event %d" % n), "execution_id": uuid("busy %d" % k),
                "sequence": sequence, "event_type": "node_completed", "payload": {},
                "created_at": before(86400 + n)
            }


def task_events():
    """Times of one task all differ, so that the newest event is one."""
    for i in range(400):
        status = pick("task status %d" % i, ["CREATED", "STARTED", "FINISHED", "FAILED"])
        row = {
            "id": uuid("task event %d" % i),
            "task_id": uuid("task %d" % number("task of %d" % i, 60)),
            "tenant_id": uuid("tenant %d" % number("task of %d" % i, 3)), "status": status,
            "timestamp": before(number("task age %d" % i, 30 * 86400)), "retry_count": 0
        }
        if status == "FAILED":
            row["error_message"] = "exit status %d" % i
        yield dict(row, created_at="2025-01-31T23:59:59.999Z")


def inserted():
    """The rows that Hatchet's document inserts into its table `events`."""
    tenant = "44bffbf3-5530-4378-94f3-0c85dc719159"
    for task, status, at, retries, error in ((1, "CREATED", "2021-01-01 00:00:00", 0, None),
                                             (2, "ASSIGNED", "2024-01-01 12:34:56", 1,
                                              None), (2, "FAILED", "2024-01-01 12:34:58", 1,
                                                      "A foobar went wrong")):
        row = {"task_id": task, "worker_id": 1, "tenant_id": tenant, "status": status,
               "timestamp": at.replace(" ", "T") + "Z", "retry_count": retries}
        yield dict(row, error_message=error) if error else row


TABLES = {
    "watchllm": {"events": llm_events,
                 "agent_steps": agent_steps}, "lightbulb": {"service_status": service_status},
    "meshhook": {"workflow_events": workflow_events},
    "mbflow": {"executions": executions,
               "events": events}, "hatchet": {"task_events": task_events, "events": inserted}
}

# ---- questions in SQLite's words -----------------------------------------------------------------

HOUR = "substr(timestamp, 1, 13) || ':00:00Z'"
MS = "(CAST(strftime('%s', {0}) AS INTEGER) * 1000 + CAST(substr({0}, 21, 3) AS INTEGER))"
SECONDS = MS.format("completed_at") + " - " + MS.format("started_at")


def since(column, seconds):
    return "%s >= '%s'" % (column, before_now(seconds))


def before_now(seconds):
    at = datetime.strptime(NOW[:19], "%Y-%m-%dT%H:%M:%S") - timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S") + NOW[19:]


HOURLY = """SELECT project_id, %s AS hour, model, status, count(*) AS requests, sum(tokens_input) AS total_tokens_input,
    sum(tokens_output) AS total_tokens_output, sum(cost_estimate_usd) AS total_cost_usd, sum(latency_ms) AS total_latency_ms,
    count(latency_ms) AS timed_requests FROM events WHERE event_type = 'prompt_call' GROUP BY 1, 2, 3, 4""" % HOUR
DAILY = """SELECT project_id, substr(timestamp, 1, 10) AS day, count(*) AS total_events,
    count(CASE WHEN status = 'success' THEN 1 END) AS successes, count(CASE WHEN status = 'error' THEN 1 END) AS failures,
    sum(cost_estimate_usd) AS total_cost_usd, sum(latency_ms) AS total_latency_ms, count(latency_ms) AS timed_events
    FROM events GROUP BY 1, 2"""
SUMMARY = """SELECT project_id, count(*) AS total_events, sum(cost_estimate_usd) AS total_cost_usd,
    count(CASE WHEN status = 'error' THEN 1 END) AS errors, min(timestamp) AS first_event, max(timestamp) AS last_event
    FROM events GROUP BY project_id"""
STATUS = """SELECT service_id, %s AS hour, count(*) AS total_checks, count(CASE WHEN status_code = 0 THEN 1 END) AS ok_checks,
    count(CASE WHEN status_code = 2 THEN 1 END) AS failures, sum(response_time_ms) AS total_response_time_ms,
    count(response_time_ms) AS timed_checks FROM service_status GROUP BY 1, 2""" % HOUR
RATE = "count(CASE WHEN status_code = 2 THEN 1 END) * 1.0 / count(*) * 100"

QUESTIONS = {
    "watchllm": {
        "query-it-back": "SELECT row FROM events WHERE event_id = 'test-001'",
        "recent-events": "SELECT event_id, timestamp, event_type, model, status, cost_estimate_usd FROM events "
        "WHERE project_id = 'your-project' ORDER BY timestamp DESC LIMIT 100",
        "cost-by-model": "SELECT model, count(*) AS requests, sum(cost_estimate_usd) AS total_cost, avg(latency_ms) AS avg_latency "
        "FROM events WHERE project_id = 'your-project' AND event_type = 'prompt_call' AND " +
        since("timestamp", 7 * 86400) + " GROUP BY model ORDER BY total_cost DESC",
        "error-rate": "SELECT " + HOUR +
        " AS hour, count(CASE WHEN status = 'error' THEN 1 END) AS errors, count(*) AS total, "
        "count(CASE WHEN status = 'error' THEN 1 END) * 100.0 / count(*) AS error_rate_pct FROM events WHERE "
        "project_id = 'your-project' AND event_type = 'prompt_call' AND " +
        since("timestamp", 86400) + " GROUP BY hour ORDER BY hour DESC",
        "agent-trace": "SELECT step_number, step_name, step_type, latency_ms, status FROM agent_steps "
        "WHERE run_id = 'your-run-id' ORDER BY step_number",
        "hourly-metrics": HOURLY,
        "daily-metrics": DAILY,
        "project-summary": SUMMARY,
        "average-latency-by-day": "SELECT day, sum(total_latency_ms) * 1.0 / sum(timed_events) AS avg_latency FROM ("
        + DAILY + ") GROUP BY day ORDER BY day",
    },
    "lightbulb": {
        "current-status": "SELECT service_id, status_code AS current_status, message AS last_message, max(timestamp) AS last_check "
        "FROM service_status GROUP BY service_id",
        "service-health": "SELECT service_id, " + HOUR +
        " AS hour, avg(response_time_ms) AS avg_response_time, "
        "count(CASE WHEN status_code = 2 THEN 1 END) AS failures, count(*) AS total_checks FROM service_status "
        "WHERE " + since("timestamp", 86400) + " GROUP BY 1, 2 ORDER BY 1, 2",
        "top-failing": "SELECT service_id, " + RATE +
        " AS failure_rate, count(*) AS total_checks FROM service_status WHERE " +
        since("timestamp", 3600) +
        " GROUP BY service_id HAVING failure_rate > 5 ORDER BY failure_rate DESC",
        "service-status-summary": STATUS,
        # of system.parts; sizes are not SQLite's to say
        "table-sizes": "SELECT 'service_status' AS \"table\", count(*) AS rows FROM service_status",
    },
    "meshhook": {
        "run-events": "SELECT row FROM workflow_events WHERE run_id = 'some-uuid' ORDER BY ts",
        "run-events-everywhere": "SELECT row FROM workflow_events WHERE run_id = 'uuid'",
        "run-events-pruned": "SELECT row FROM workflow_events WHERE run_id = 'uuid' AND ts >= '2025-01-01'",
        "run-events-of": "SELECT row FROM workflow_events WHERE run_id = '%s' ORDER BY ts" % RUN,
        "run-events-between": "SELECT row FROM workflow_events WHERE run_id = '%s' AND ts >= '2025-01-01' AND ts < '2025-01-31'"
        % RUN,
        "time-range": "SELECT row FROM workflow_events WHERE ts >= '2025-01-01' AND ts < '2025-02-01'",
        "partition-pruning": "SELECT row FROM workflow_events WHERE ts >= '2025-01-15' AND ts < '2025-01-20'",
        "partition-info": "SELECT substr(ts, 1, 7) AS partition, count(*) AS row_count FROM workflow_events GROUP BY 1 ORDER BY 1",
        "partition-stats": "SELECT 'workflow_events_y' || substr(ts, 1, 4) || 'm' || substr(ts, 6, 2) AS partition_name, "
        "substr(ts, 1, 7) || '-01' AS start_date, substr(min(ts), 1, 23) || 'Z' AS first_event, "
        "substr(max(ts), 1, 23) || 'Z' AS last_event, count(*) AS row_count "
        "FROM workflow_events GROUP BY 1 ORDER BY 1",
        "count": "SELECT count(*) AS \"COUNT(*)\" FROM workflow_events",
        "count-of-january": "SELECT count(*) AS \"count()\" FROM workflow_events WHERE ts >= '2025-01-01' AND ts < '2025-02-01'",
    },
    "mbflow": {
        "active-executions": "SELECT count(*) AS \"COUNT(*)\" FROM executions WHERE status = 'running'",
        "failed-last-day": "SELECT count(*) AS \"COUNT(*)\" FROM executions WHERE status = 'failed' AND created_at > '"
        + before_now(86400) + "'",
        "average-duration": "SELECT avg(" + SECONDS +
        ") / 1000.0 AS avg_duration FROM executions WHERE status = 'completed'",
        "events-per-execution": "SELECT execution_id, count(*) AS event_count FROM events GROUP BY execution_id "
        "ORDER BY event_count DESC LIMIT 10",
    },
    "hatchet": {
        "tenant-weeks": "SELECT tenant_id, date(timestamp, 'weekday 1', CASE strftime('%w', timestamp) WHEN '1' THEN '0 days' "
        "ELSE '-7 days' END) AS week, count(*) AS rows FROM task_events GROUP BY 1, 2 ORDER BY 1, 2",
        "workflow-run": "SELECT row FROM events WHERE task_id = 2",
        "newest-event-of-each-task": "SELECT row FROM (SELECT row, row_number() OVER (PARTITION BY task_id ORDER BY timestamp DESC) "
        "AS row_num FROM task_events) WHERE row_num = 1",
    },
}


def database(tables):
    db = sqlite3.connect(":memory:")
    for name, rows in tables.items():
        columns = list(dict.fromkeys(k for row in rows for k in row))
        db.execute("CREATE TABLE %s (row, %s)" % (name, ", ".join('"%s"' % c for c in columns)))
        db.executemany(
            "INSERT INTO %s VALUES (%s)" % (name, ", ".join("?" * (len(columns) + 1))),
            [[json.dumps(row)] +
             [json.dumps(v) if isinstance(v, (list, dict)) else v for v in map(row.get, columns)]
             for row in rows])
    return db


def answer(db, question):
    cursor = db.execute(question)
    names = [d[0] for d in cursor.description]
    for values in cursor:
        if names == ["row"]:
            yield values[0]
        else:
            yield json.dumps({k: v for k, v in zip(names, values) if v is not None})


def main():
    folder, write, status = Path(sys.argv[1]), "--answers" in sys.argv, 0
    for system, makers in TABLES.items():
        tables = {name: list(make()) for name, make in makers.items()}
        (folder / system).mkdir(parents=True, exist_ok=True)
        for name, rows in tables.items():
            (folder / system / (name + ".ndjson")).write_text("".join(
                json.dumps(r) + "\n" for r in rows))
        db = database(tables)
        for name, question in QUESTIONS[system].items():
            path = HERE / system / "queries" / (name + ".ndjson")
            text = "".join(line + "\n" for line in answer(db, question))
            if write:
                path.write_text(text)
            elif path.read_text() != text:
                print("%s is not what SQLite answers" % path)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
