"""Hatchet: a queue's tasks and their events, by tenant and week."""

import json

from rows import NOW, Table, UUID4, later, number, pick, uuid

DOCUMENT = "44bffbf3-5530-4378-94f3-0c85dc719159"  # the tenant of the document's own INSERT
SHOP = uuid("hatchet tenant shop")
BANK = uuid("hatchet tenant bank")

# (tenant, queue, action, created): both sides of the turn of the year, which lies inside a week,
# and of Mondays.
TASKS = [
    (SHOP, "default", "orders:charge-card", "2024-12-29T23:59:59.998Z"),
    (SHOP, "default", "orders:send-receipt", "2024-12-29T23:59:59.999Z"),
    (SHOP, "default", "orders:charge-card", "2024-12-30T00:00:00.000Z"),
    (SHOP, "default", "orders:refund", "2024-12-31T23:59:59.999Z"),
    (SHOP, "batch", "stock:count", "2025-01-01T00:00:00.000Z"),
    (SHOP, "batch", "stock:count", "2025-01-05T23:59:59.999Z"),
    (SHOP, "batch", "stock:reorder", "2025-01-06T00:00:00.000Z"),
    (SHOP, "mail", "mail:newsletter", "2025-01-06T08:30:00.250Z"),
    (SHOP, "mail", "mail:newsletter", "2025-01-06T08:30:00.251Z"),
    (SHOP, "mail", "mail:bounce", "2025-01-07T11:02:45.003Z"),
    (BANK, "ledger", "ledger:post", "2024-02-26T00:00:00.000Z"),
    (BANK, "ledger", "ledger:post", "2024-02-29T12:00:00.000Z"),
    (BANK, "ledger", "ledger:close-month", "2024-03-03T23:59:59.999Z"),
    (BANK, "ledger", "ledger:close-month", "2024-03-04T00:00:00.000Z"),
    (BANK, "ledger", "ledger:reconcile", "2025-01-06T00:00:00.001Z"),
    (BANK, "report", "report:überweisungen", "2025-01-08T06:00:00.000Z"),
    (BANK, "report", "report:daily", "2025-01-09T06:00:00.000Z"),
    (BANK, "report", "report:daily", "2025-01-10T06:00:00.000Z"),
    (DOCUMENT, "default", "foobar", "2021-01-01T00:00:00.000Z"),
    (DOCUMENT, "default", "foobar", "2024-01-01T12:34:50.000Z"),
    (DOCUMENT, "default", "foobar", "2024-01-07T23:59:59.999Z"),
    (DOCUMENT, "default", "foobar", "2024-01-08T00:00:00.000Z"),
]
INPUTS = [
    {}, {"order": 4711, "amount": "19.90", "currency": "EUR"},
          {"lines": [{"sku": "A-1", "n": 2}, {"sku": "B\"9", "n": 1}]},
    {"to": ["ann@example.org", "bob@example.org"], "subject": "Grüße\nund 🎉"},
          {"nested": {"a": {"b": {"c": [None, True, 1e-7]}}}},
]


def task(i):
    tenant, queue, action, created = TASKS[i]
    return {
        "id": uuid("hatchet task %d" % i), "tenant_id": tenant, "queue": queue, "action_id": action,
        "schedule_timeout": "5m", "display_name": "%s #%d" % (action, i),
        "input": json.dumps(INPUTS[i % len(INPUTS)]),
        "worker_id": uuid("hatchet worker %d" % (i % 3)), "created_at": created
    }


def tasks():
    t = Table("tasks", {"created_at": 3}, "created_at", tenant="tenant_id",
              fill={"priority": 1, "created_at": NOW},
              unknown=("dag_id",))
    for i in range(len(TASKS)):
        row = task(i)
        if i % 2:
            row["priority"] = (1, 2, 3, 2147483647, -2147483648, 0)[i // 2 % 6]
        if i % 3 == 1:
            row.update(sticky=("HARD", "SOFT")[i % 2], desired_worker_id=row["worker_id"])
        if i % 4 == 2:
            row["step_timeout"] = "%ds" % (30 * i)
        if i % 5 == 4:
            row.update(step_timeout=None, sticky=None, desired_worker_id=None)
        t.good(row)

    row = task(0)
    arrived = {k: v for k, v in row.items() if k != "created_at"}
    t.good({**arrived, "id": uuid("hatchet task: no time")})
    t.good({**arrived, "id": uuid("hatchet task: no time, other tenant"), "tenant_id": BANK})
    t.good({**row, "id": uuid("hatchet task: zone"), "created_at": "2025-01-06T01:00:00+02:00"})
    t.good(
        {**row, "id": uuid("hatchet task: other zone"), "created_at": "2025-01-05 19:00:00.5-0500"})
    t.good({**row, "id": uuid("hatchet task: micros"), "created_at": "2025-01-05T23:59:59.999999Z"})
    t.good({**row, "id": uuid("hatchet task: shouted").upper()}, id=uuid("hatchet task: shouted"))
    t.good({
        **row, "id": uuid("hatchet task: more"), "additional_metadata": {"region": "eu-1"},
        "retries": 3, "dag_id": None
    })
    t.good({**row, "id": uuid("hatchet task: empty"), "queue": "", "display_name": "", "input": ""})

    t.absent(row, "id", "tenant_id", "queue", "action_id", "schedule_timeout", "display_name",
             "input", "worker_id")
    t.bad(row, "priority: null in a NOT NULL column", priority=None)
    t.bad(row, "created_at: null in a NOT NULL column", created_at=None)
    t.bad(row, "sticky: not a name of the Enum", sticky="MEDIUM")
    t.bad(row, "sticky: not a name of the Enum", sticky="hard")
    t.bad(row, "sticky: not a string", sticky=1)
    t.bad(row, "priority: out of range", priority=2147483648)
    t.bad(row, "priority: more decimal places", priority=1.5)
    t.bad(row, "priority: not a number", priority="1")
    t.bad(row, "input: not a string", input={"order": 4711})
    t.bad(row, "tenant_id: not a UUID", tenant_id="44bffbf3553043789 4f30c85dc719159")
    t.bad(row, "created_at: not a time", created_at="2025-01-06T24:00:00Z")
    t.bad(row, "created_at: not a time", created_at="2025-02-29T00:00:00Z")
    return t


# ---- events --------------------------------------------------------------------------------------

# What happens to a task, one story a line: STATUS, seconds after the status before it, and more
# fields.
ERROR = "worker exited with status 137"
STORIES = [
    [("CREATED", 0), ("ASSIGNED", 1), ("SENT_TO_WORKER", 0), ("ACKNOWLEDGED", 0), ("STARTED", 0),
     ("FINISHED", 4)],
    [("CREATED", 0), ("REQUEUED_NO_WORKER", 5), ("ASSIGNED", 20), ("STARTED", 1),
     ("SLOT_RELEASED", 2), ("FINISHED", 9)],
    [("CREATED", 0), ("REQUEUED_RATE_LIMIT", 1), ("RATE_LIMIT_ERROR", 1), ("CANCELLED", 60)],
    [("CREATED", 0), ("SCHEDULING_TIMED_OUT", 300)],
    [("CREATED", 0), ("ASSIGNED", 1), ("STARTED", 0), ("FAILED", 3), ("RETRYING", 10),
     ("STARTED", 0), ("FINISHED", 2)],
    [("CREATED", 0), ("ASSIGNED", 1), ("REASSIGNED", 30), ("STARTED", 0), ("TIMEOUT_REFRESHED", 50),
     ("TIMED_OUT", 60)],
    [("WORKFLOW_RUN_GROUP_KEY_SUCCEEDED", 0), ("CREATED", 0), ("RETRIED_BY_USER", 3600),
     ("STARTED", 1), ("FINISHED", 1)],
    [("WORKFLOW_RUN_GROUP_KEY_FAILED", 0), ("FAILED", 1)],
]
REASONS = [
    "ACKNOWLEDGED", "ASSIGNED", "CANCELLED", "FAILED", "FINISHED", "REASSIGNED",
    "REQUEUED_NO_WORKER", "REQUEUED_RATE_LIMIT", "RETRIED_BY_USER", "RETRYING",
    "SCHEDULING_TIMED_OUT", "SLOT_RELEASED", "STARTED", "TIMED_OUT", "TIMEOUT_REFRESHED",
    "WORKFLOW_RUN_GROUP_KEY_FAILED", "WORKFLOW_RUN_GROUP_KEY_SUCCEEDED"
]


def event(task_row, status, at, retry):
    row = {
        "task_id": task_row["id"], "tenant_id": task_row["tenant_id"], "status": status,
        "timestamp": at
    }
    if retry:
        row["retry_count"] = retry
    if status == "FAILED":
        row["error_message"] = ERROR
    if status in REASONS:
        row["additional__event_reason"] = status
        row["additional__event_severity"] = {"FAILED": "CRITICAL", "TIMED_OUT": "CRITICAL",
                                             "CANCELLED": "WARNING",
                                             "RETRYING": "WARNING"}.get(status, "INFO")
    if status in ("ASSIGNED", "SENT_TO_WORKER"):
        row["additional__event_data"] = json.dumps(
            {"worker_id": task_row["worker_id"], "slot": retry})
        row["additional__event_message"] = "Assigned to worker %s" % task_row["worker_id"][:8]
    return row


def stories(t):
    for n, story in enumerate(STORIES):
        task_row, seconds, retry = task(n + 1), number("hatchet story %d" % n, 900) / 1000, 0
        for step, (status, pause) in enumerate(story):
            seconds += pause + number("hatchet step %d %d" % (n, step), 1000) / 1000
            retry += status in ("RETRYING", "RETRIED_BY_USER")
            row = event(task_row, status, later(task_row["created_at"], seconds), retry)
            if step % 2:
                row["id"] = uuid("hatchet event %d %d" % (n, step))
            if step % 3 == 0:
                row["created_at"] = later(row["timestamp"], 1)
            if status == "FINISHED":
                row["error_message"] = None
            t.good(row)


def inserted(t):
    """The rows of the document's INSERT. Its task ids are integers, which no UUID column takes."""
    values = [(1, "CREATED", "2021-01-01 00:00:00", 0, None),
              (2, "ASSIGNED", "2024-01-01 12:34:56", 1, None),
              (2, "FAILED", "2024-01-01 12:34:58", 1, "A foobar went wrong")]
    for n, status, at, retry, error in values:
        row = {
            "task_id": n, "worker_id": 1, "tenant_id": DOCUMENT, "status": status, "timestamp": at,
            "retry_count": retry, "error_message": error
        }
        t.bad(row, "task_id: not a string: found %d for UUID" % n)
        t.good({**row, "task_id": task(17 + n)["id"]})


def task_events():
    t = Table("task_events", {"timestamp": 3, "created_at": 3}, "timestamp", tenant="tenant_id",
              fill={"id": UUID4, "retry_count": 0, "created_at": NOW})
    stories(t)
    inserted(t)
    row = event(task(10), "STARTED", "2025-01-05T23:59:59.999Z", 0)
    for at in ("2024-12-29T23:59:59.999Z", "2024-12-30T00:00:00.000Z", "2024-12-31T23:59:59.999Z",
               "2025-01-01T00:00:00.000Z",
               "2025-01-05T23:59:59.999Z", "2025-01-06T00:00:00.000Z", "2025-01-06T00:59:59+01:00",
               "2025-01-05T23:59:59.9999Z"):
        t.good({**row, "timestamp": at})
    for reason in REASONS:
        t.good({
            **row, "additional__event_reason": reason,
            "additional__event_severity": pick(reason, ["INFO", "WARNING", "CRITICAL"])
        })
    for data in ('{"a":[1,2,{"b":null}]}', "[]", '"text"', " {\n} ", "\"\\u00e9\"", None):
        t.good({**row, "additional__event_data": data})
    t.good({**row, "status": "FAILED", "error_message": ""})
    t.good({**row, "status": "FAILED", "error_message": "Zeile 1\nZeile 2\t\"\\\" \u0000 \u2028 😀"})

    either = "fails CHECK check__failed_state_has_error"
    t.bad(row, either, status="FAILED")
    t.bad(row, either, status="FAILED", error_message=None)
    t.bad(row, either, status="FINISHED", error_message="late")
    for data in ("{", "", "{'a':1}", "[1,]", "{\"a\":01}", "nul"):
        t.bad(row,
              "fails CHECK check__additional__event_data_is_valid_json",
              additional__event_data=data)
    t.absent(row, "task_id", "tenant_id", "status", "timestamp")
    t.bad(row, "retry_count: null in a NOT NULL column", retry_count=None)
    t.bad(row, "id: null in a NOT NULL column", id=None)
    t.bad(row, "id: not a UUID", id="1")
    t.bad(row, "status: not a name of the Enum", status="DONE")
    t.bad(row, "status: not a name of the Enum", status="")
    t.bad(row,
          "additional__event_severity: not a name of the Enum",
          additional__event_severity="DEBUG")
    t.bad(row,
          "additional__event_reason: not a name of the Enum",
          additional__event_reason="CREATED")
    t.bad_line('{"task_id":"%s","tenant_id":' % row["task_id"], "column ")
    t.bad_line('{"status":"STARTED","status":"FAILED"}', 'the key "status" comes twice')
    t.bad_line("[]", "column 1: expected '{'")
    return t


def tables():
    return [tasks(), task_events()]
