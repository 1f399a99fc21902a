"""WatchLLM: events of language model applications, the tool calls and the agents' steps inside of
them, by month."""

import json

from rows import Table, hexid, later, number, pick

MODELS = ["gpt-4o-mini", "gpt-4o", "claude-3-5-sonnet", "llama-3.1-70b"]
PROJECTS = ["proj-shop", "proj-helpdesk"]
QUESTIONS = ["Where is my order 4711?", "Summarise:\n\n\"The quick brown fox\"\n",
             "Übersetze ins Englische: Käse 🧀", "2+2=?", ""]
ANSWERS = ["It left our warehouse this morning.", "A fox jumps.", "Cheese 🧀", "4", ""]
TOOLS = [("search_orders", {"customer": "c-19", "limit": 5}, {"orders": [4711, 4712]}),
         ("get_weather", {"city": "Zürich"}, {"celsius": -3.5, "sky": "snow"}),
         ("sql", {"query": "SELECT \"id\" FROM t WHERE a = 'x\\y'"}, [[1], [2], [None]])]

# Both sides of every end of a month that could go wrong: a leap day, a short February, the turn of
# the year.
EDGES = ["2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00.000Z", "2024-12-31T23:59:59.999Z",
         "2025-01-01T00:00:00.000Z",
         "2025-01-31T23:59:59.999Z", "2025-02-01T00:00:00.000Z", "2025-02-28T23:59:59.999Z",
         "2025-03-01T00:00:00.000Z"]


def base(label, kind, at, project=PROJECTS[0], run="run-1"):
    return {
        "event_id": "evt_" + hexid("watchllm " + label, 24), "project_id": project, "run_id": run,
        "timestamp": at, "event_type": kind, "env": "production", "tags": []
    }


def prompts(t):
    for i, at in enumerate(EDGES * 2):
        row = base("prompt %d" % i, "prompt_call", at, PROJECTS[i % 2],
                   "run-%s" % hexid("watchllm run %d" % (i // 4), 8))
        tokens = number("watchllm in %d" % i, 4000), number("watchllm out %d" % i, 900)
        row.update(env=("production", "staging", "development")[i % 3],
                   tags=[[], ["chat"], ["chat", "a \"b\"", "日本", ""]][i % 3],
                   prompt=QUESTIONS[i % 5], model=MODELS[i % 4], tokens_input=tokens[0],
                   tokens_output=tokens[1],
                   cost_estimate_usd=round(tokens[0] * 1.5e-7 + tokens[1] * 6e-7, 10),
                   response=ANSWERS[i % 5],
                   latency_ms=150 + number("watchllm ms %d" % i, 5000), status="success")
        if i % 4 == 1:
            row.update(temperature=(0, 0.7, 1, 1e-7)[i // 4], user_id="user-%d" % i)
        if i % 5 == 3:
            row.update(status=("timeout", "rate_limited", "error")[i // 5],
                       response=None,
                       tokens_output=None,
                       error_message="upstream said 429",
                       error_code="rate_limit_exceeded")
        t.good(row)


def numbers(t):
    """Values at the ends of their types."""
    for i, (tokens, cost) in enumerate([(2147483647, 1.7976931348623157e308), (-2147483648, 5e-324),
                                        (0, -0.0),
                                        (1, 0.1 + 0.2), (2, 123456789.12345678), (3, 0),
                                        (4, 9007199254740992)]):
        row = base("number %d" % i, "prompt_call", later(EDGES[3], 60 * i))
        row.update(tokens_input=tokens, cost_estimate_usd=cost, temperature=-cost if cost else None)
        t.good(row)
    row = base("number 1e2", "prompt_call", EDGES[3])
    line = json.dumps(
        row)[:-1] + ', "tokens_input": 1e2, "tokens_output": 20.0, "cost_estimate_usd": 1E-4}'
    t.good_line(line,
                {**row, "tokens_input": 100, "tokens_output": 20, "cost_estimate_usd": 0.0001})


def others(t):
    for i, (tool, args, result) in enumerate(TOOLS):
        row = base("tool %d" % i, "tool_call", later(EDGES[4], -60 * i))
        row.update(tool_name=tool, tool_args=json.dumps(args, ensure_ascii=i == 1),
                   tool_result=json.dumps(result),
                   latency_ms=12 + i, status="success")
        t.good(row)
    for i, kind in enumerate(("thought", "action", "observation", "final")):
        row = base("step %d" % i, "agent_step", later(EDGES[5], 2 * i), PROJECTS[1], "run-agent")
        row.update(step_number=i + 1,
                   step_name="step %d" % (i + 1),
                   step_type=kind,
                   model=MODELS[2],
                   step_input_data=json.dumps({"observations": list(range(i))}),
                   step_output_data=json.dumps({"done": kind == "final"}))
        t.good(row)
    for i, (kind, severity, message) in enumerate([
            ("error", None, "TypeError: undefined is not a function\n    at run (agent.ts:12:7)"),
            ("assertion_failed", "low", "answer has fewer than 3 sentences"),
            ("hallucination_detected", "high", "order 4713 does not exist"),
            ("cost_threshold_exceeded", "medium", "cost of the day is above the threshold"),
            ("performance_alert", "critical", "p95 above the threshold")]):
        row = base("alert %d" % i, kind, later(EDGES[6], -i), PROJECTS[i % 2])
        row.update(severity=severity, message=message)
        if i >= 3:
            row.update(threshold=(25, 5000)[i - 3], observed=(25.01, 7321.5)[i - 3])
        if kind == "error":
            row.update(status="error", error_code="E_TYPE")
        t.good(row)


def events():
    t = Table("events", {"timestamp": 3},
              "timestamp",
              unit="month",
              unknown=("trace_flags", "sdk.version"))
    # The document's own INSERT; its now() is a moment of our choice.
    inserted = {
        "event_id": "test-001", "project_id": "proj-test", "run_id": "run-001",
        "timestamp": "2025-01-15T10:30:00Z", "event_type": "prompt_call", "env": "development",
        "tags": ["test"], "prompt": "Hello, world!", "model": "gpt-4o-mini", "tokens_input": 10,
        "tokens_output": 20, "cost_estimate_usd": 0.0001, "response": "Hi there!",
        "latency_ms": 150, "status": "success"
    }
    t.good(inserted)
    prompts(t)
    numbers(t)
    others(t)
    t.good({**inserted, "event_id": "test-002", "sdk.version": "1.4.0", "trace_flags": None,
            "attributes": {"a.b": [1, {"c": "d"}]}})
    t.good({**inserted, "event_id": "test-003", "timestamp": "2025-01-31 23:59:59.9999999"})
    t.good({**inserted, "event_id": "test-004", "timestamp": "2025-02-01T00:30:00+01:00"})
    t.good({
        **inserted, "event_id": "test-005",
        "prompt": "\u0000\u001f \u007f \\ / \u2028\u2029 \ufeff", "response": "x" * 5000
    })

    t.absent(inserted, "event_id", "project_id", "run_id", "timestamp", "event_type", "env", "tags")
    for column in ("event_type", "status", "step_type", "severity"):
        t.bad(inserted, column + ": not a name of the Enum", **{column: "other"})
    t.bad(inserted, "tags: not an array", tags="test")
    t.bad(inserted, "tags: null inside", tags=["test", None])
    t.bad(inserted, "tags: not a string", tags=["test", 1])
    t.bad(inserted, "tokens_input: out of range", tokens_input=-2147483649)
    t.bad(inserted, "tokens_output: more decimal places", tokens_output=0.5)
    t.bad(inserted, "latency_ms: not a number", latency_ms="150")
    t.bad(inserted, "prompt: not a string", prompt=["Hello"])
    t.bad(inserted, "tool_args: not a string", tool_args={"a": 1})
    t.bad(inserted, "temperature: not a number", temperature=True)
    t.bad_line(json.dumps(inserted)[:-1] + ',"temperature":1e400}', "temperature: out of range")
    t.bad_line(json.dumps(inserted)[:-1] + ',"temperature":NaN}', "column ")
    t.bad_line(json.dumps({**inserted, "prompt": "half a pair: \ud83d"}),
               "prompt: half a surrogate pair")
    t.bad_line(json.dumps(inserted) + ",", "column ")
    return t


def tool_calls():
    t = Table("tool_calls", {"timestamp": 3}, "timestamp", unit="month")
    for i in range(24):
        tool, args, result = TOOLS[i % 3]
        at = EDGES[i % 8] if i < 16 else later(EDGES[2], -number("watchllm call %d" % i, 86400))
        row = {"tool_call_id": "call_" + hexid("watchllm call %d" % i, 16),
               "event_id": "evt_" + hexid("watchllm tool %d" % (i % 3), 24),
               "project_id": PROJECTS[i % 2], "run_id": "run-%d" % (i // 6), "timestamp": at,
               "call_index": i % 4, "tool_name": tool,
               "tool_args": json.dumps({**args, "n": i}), "tool_result": json.dumps(result),
               "latency_ms": 5 + i * i, "status": "success"}
        if i % 5 == 4:
            row.update(status="error",
                       tool_result=None,
                       error_message=pick("watchllm fault %d" % i, ["timeout after 30s", "403"]))
        t.good(row)
    t.absent(row, "tool_call_id", "event_id", "project_id", "run_id", "timestamp", "call_index",
             "tool_name", "tool_args", "latency_ms", "status")
    t.bad(row, "status: not a name of the Enum", status="timeout")
    t.bad(row, "call_index: more decimal places", call_index=0.25)
    t.bad(row, "tool_result: not a string", tool_result={"celsius": 3})
    t.bad(row, "timestamp: not a time", timestamp="yesterday")
    t.bad(row, "timestamp: not a string", timestamp=1735689599)
    return t


def agent_steps():
    t = Table("agent_steps", {"timestamp": 3}, "timestamp", unit="month")
    names = ("plan", "call tool", "read result", "call tool", "read result", "answer")
    kinds = ("thought", "action", "observation", "action", "observation", "final")
    for i in range(24):
        step = i % 6
        row = {
            "step_id": "step_" + hexid("watchllm step %d" % i, 16),
            "event_id": "evt_" + hexid("watchllm run %d" % (i // 6), 24),
            "run_id": "run-%s" % hexid("watchllm agent %d" % (i // 6), 8),
            "project_id": PROJECTS[i // 12],
            "timestamp": later(EDGES[2 * (i // 6)], 0.5 * step - 1),
            "step_number": step + 1, "step_name": names[step], "step_type": kinds[step],
            "model": MODELS[i // 6],
            "step_input_data": json.dumps(
                {"goal": QUESTIONS[i // 6], "seen": list(range(step))}, ensure_ascii=False),
            "step_output_data": json.dumps(
                {"text": ANSWERS[i // 6], "next": None if step == 5 else step + 2}),
            "tokens_input": 200 * step, "tokens_output": 10 + step,
            "latency_ms": 300 + 7 * i, "status": "error" if i == 16 else "success"
        }
        t.good(row)
    t.absent(row, "step_id", "event_id", "run_id", "project_id", "timestamp", "step_number",
             "step_name", "step_type", "model", "step_input_data", "step_output_data",
             "tokens_input", "tokens_output", "latency_ms", "status")
    t.bad(row, "step_type: not a name of the Enum", step_type="Thought")
    t.bad(row, "step_number: out of range", step_number=4294967296)
    t.bad(row, "step_input_data: not a string", step_input_data={})
    return t


def tables():
    return [events(), tool_calls(), agent_steps()]
