-- Observability of language models: one table for all events, two for what is inside of them, two rollups and a view.
-- See MENDS.md.

CREATE TABLE events (
    event_id String,
    project_id String,
    run_id String,
    user_id Nullable(String),
    timestamp DateTime64(3),
    event_type Enum8(
        'prompt_call' = 1,
        'tool_call' = 2,
        'agent_step' = 3,
        'error' = 4,
        'assertion_failed' = 5,
        'hallucination_detected' = 6,
        'cost_threshold_exceeded' = 7,
        'performance_alert' = 8
    ),
    env LowCardinality(String),
    tags Array(String),

    -- prompt_call
    prompt Nullable(String),
    model Nullable(String),
    temperature Nullable(Float64),
    tokens_input Nullable(Int32),
    tokens_output Nullable(Int32),
    cost_estimate_usd Nullable(Float64),
    response Nullable(String),
    latency_ms Nullable(Int32),
    status Nullable(Enum8('success' = 1, 'error' = 2, 'timeout' = 3, 'rate_limited' = 4)),
    error_message Nullable(String),
    error_code Nullable(String),

    -- tool_call; arguments and result are JSON in a string
    tool_name Nullable(String),
    tool_args Nullable(String),
    tool_result Nullable(String),

    -- agent_step; input and output are JSON in a string
    step_number Nullable(Int32),
    step_name Nullable(String),
    step_type Nullable(Enum8('thought' = 1, 'action' = 2, 'observation' = 3, 'final' = 4)),
    step_input_data Nullable(String),
    step_output_data Nullable(String),

    -- assertion_failed, hallucination_detected, cost_threshold_exceeded, performance_alert
    severity Nullable(Enum8('low' = 1, 'medium' = 2, 'high' = 3, 'critical' = 4)),
    message Nullable(String),
    threshold Nullable(Float64),
    observed Nullable(Float64),

    INDEX idx_run_id run_id TYPE bloom_filter GRANULARITY 4,
    INDEX idx_user_id user_id TYPE bloom_filter GRANULARITY 4,
    INDEX idx_model model TYPE set(100) GRANULARITY 4,
    INDEX idx_status status TYPE set(0) GRANULARITY 4,
    INDEX idx_event_type event_type TYPE set(0) GRANULARITY 4
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(timestamp)
ORDER BY (project_id, timestamp)
TTL toDateTime(timestamp) + INTERVAL 90 DAY;

CREATE TABLE tool_calls (
    tool_call_id String,
    event_id String,
    project_id String,
    run_id String,
    timestamp DateTime64(3),
    call_index Int32,
    tool_name String,
    tool_args String,
    tool_result Nullable(String),
    latency_ms Int32,
    status Enum8('success' = 1, 'error' = 2),
    error_message Nullable(String),

    INDEX idx_run_id run_id TYPE bloom_filter GRANULARITY 4,
    INDEX idx_event_id event_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(timestamp)
ORDER BY (project_id, timestamp)
TTL toDateTime(timestamp) + INTERVAL 90 DAY;

CREATE TABLE agent_steps (
    step_id String,
    event_id String,
    run_id String,
    project_id String,
    timestamp DateTime64(3),
    step_number Int32,
    step_name String,
    step_type Enum8('thought' = 1, 'action' = 2, 'observation' = 3, 'final' = 4),
    model String,
    step_input_data String,
    step_output_data String,
    tokens_input Int32,
    tokens_output Int32,
    latency_ms Int32,
    status Enum8('success' = 1, 'error' = 2),

    INDEX idx_event_id event_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(timestamp)
ORDER BY (run_id, step_number)
TTL toDateTime(timestamp) + INTERVAL 90 DAY;

CREATE MATERIALIZED VIEW hourly_metrics
ENGINE = SummingMergeTree()
PARTITION BY toYYYYMM(hour)
ORDER BY (project_id, hour, model, status)
AS SELECT
    project_id,
    toStartOfHour(timestamp) AS hour,
    model,
    status,
    count() AS requests,
    sum(tokens_input) AS total_tokens_input,
    sum(tokens_output) AS total_tokens_output,
    sum(cost_estimate_usd) AS total_cost_usd,
    sum(latency_ms) AS total_latency_ms,
    count(latency_ms) AS timed_requests
FROM events
WHERE event_type = 'prompt_call'
GROUP BY project_id, hour, model, status;

CREATE MATERIALIZED VIEW daily_metrics
ENGINE = SummingMergeTree()
PARTITION BY toYYYYMM(day)
ORDER BY (project_id, day)
AS SELECT
    project_id,
    toDate(timestamp) AS day,
    count() AS total_events,
    countIf(status = 'success') AS successes,
    countIf(status = 'error') AS failures,
    sum(cost_estimate_usd) AS total_cost_usd,
    sum(latency_ms) AS total_latency_ms,
    count(latency_ms) AS timed_events
FROM events
GROUP BY project_id, day;

CREATE VIEW project_summary AS SELECT
    project_id,
    count() AS total_events,
    sum(cost_estimate_usd) AS total_cost_usd,
    countIf(status = 'error') AS errors,
    min(timestamp) AS first_event,
    max(timestamp) AS last_event
FROM events
GROUP BY project_id;
