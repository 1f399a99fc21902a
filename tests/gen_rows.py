#!/usr/bin/env python3
"""Sample rows for the demo and the tests: what happened to the tasks of a job queue, as NDJSON.

The same options give the same bytes. A task goes CREATED, ASSIGNED, STARTED and then FINISHED,
FAILED (with an error_message) or CANCELLED, some with retries in between; tenants are of very
different size; the rows come in the order of their times but for a few late ones.
"""

import argparse
import heapq
import json
import random
import sys
import uuid
from datetime import datetime, timedelta, timezone

ERRORS = [
    "timeout after %d ms calling https://billing.internal/v1/charge",
    "connection refused by 10.0.%d.17:5432",
    "worker lost its lease after %d s",
    "invalid input: field 'amount' is %d, must be positive",
    "out of memory: %d MiB requested",
]
ACTIONS = [
    "email:send", "invoice:render", "report:build", "image:resize", "sync:crm", "cleanup:tmp"
]


def arguments():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rows", type=int, default=1000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--tenants", type=int, default=3)
    p.add_argument("--weeks", type=int, default=2)
    p.add_argument("--start", default="2025-01-06T00:00:00", help="UTC; default a Monday")
    p.add_argument("--dirty", type=float, default=0, metavar="P", help="share of rows made unfit")
    return p.parse_args()


def task(rng, tenant, at, ids):
    """All rows of one task, as (time, row)."""
    def row(status, retries, error=None, data=None):
        r = {"id": ids(), "task_id": task_id, "tenant_id": tenant, "status": status,
             "timestamp": None, "retry_count": retries}
        if error:
            r["error_message"] = error
        if data:
            r["additional__event_data"] = json.dumps(data, separators=(",", ":"))
        return r

    task_id = ids()
    worker = "worker-%d" % rng.randrange(12)
    yield at, row("CREATED",
                  0,
                  data={"action": rng.choice(ACTIONS), "priority": rng.randrange(1, 4)})
    retries = 0
    while True:
        at += timedelta(milliseconds=int(rng.lognormvariate(4, 1)))
        yield at, row("ASSIGNED", retries, data={"worker": worker})
        at += timedelta(milliseconds=int(rng.lognormvariate(3, 1)))
        yield at, row("STARTED", retries)
        at += timedelta(milliseconds=int(rng.lognormvariate(7, 1.2)))
        luck = rng.random()
        if luck < 0.90:
            yield at, row("FINISHED", retries)
            return
        if luck < 0.92:
            yield at, row("CANCELLED", retries)
            return
        error = rng.choice(ERRORS)
        yield at, row("FAILED",
                      retries,
                      error=error % rng.randrange(1, 30000) if "%" in error else error)
        if retries == 3 or rng.random() < 0.3:
            return
        retries += 1
        at += timedelta(seconds=2 ** retries)
        yield at, row("RETRYING", retries)


def in_order(rng, args):
    """(arrival, number, time, row) of all tasks, by arrival."""
    ids = lambda: str(uuid.UUID(int=rng.getrandbits(128), version=4))
    tenants = [ids() for _ in range(args.tenants)]
    weights = [1 / (i + 1) for i in range(args.tenants)]
    start = datetime.fromisoformat(args.start).replace(tzinfo=timezone.utc)
    step = timedelta(weeks=args.weeks) / max(1, args.rows / 4.4)
    pending, made, begun = [], 0, start
    while True:
        while pending and pending[0][0] <= begun:
            yield heapq.heappop(pending)
        for at, r in task(rng, rng.choices(tenants, weights)[0], begun, ids):
            late = timedelta(hours=rng.random() * 30) if rng.random() < 0.003 else timedelta(0)
            arrival = at + late + timedelta(milliseconds=rng.randrange(2, 40))
            heapq.heappush(pending, (arrival, made, at, r))
            made += 1
        begun += step * (0.5 + rng.random())


def stamp(t):
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (t.microsecond // 1000)


def spoil(rng, row, line):
    """A line that the schema of these rows, declared or inferred, cannot take."""
    kind = rng.randrange(4)
    if kind == 0:
        return line[:len(line) // 2]  # cut off
    if kind == 1:
        row["timestamp"] = "soon"
    elif kind == 2:
        row["retry_count"] = "many"
    else:
        del row["timestamp"]
    return json.dumps(row, separators=(",", ":"))


def main():
    args = arguments()
    rng = random.Random("evseg/%d" % args.seed)
    spoiler = random.Random("evseg/%d/dirty" % args.seed)  # the other rows stay the same
    rows = in_order(rng, args)
    for _ in range(args.rows):
        arrival, _, at, row = next(rows)
        row["timestamp"] = stamp(at)
        row["created_at"] = stamp(arrival)
        line = json.dumps(row, separators=(",", ":"))
        if args.dirty and spoiler.random() < args.dirty:
            line = spoil(spoiler, row, line)
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.stderr.close()
