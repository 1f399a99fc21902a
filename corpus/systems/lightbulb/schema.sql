-- A monitor of services: what they are, how they are, what they measure and what they log. See MENDS.md.

-- Create user monitor with password (replace 'your_password' with actual password)
CREATE USER IF NOT EXISTS monitor IDENTIFIED WITH plaintext_password BY 'your_password';

-- Grant access to system tables for monitoring
GRANT SELECT ON system.* TO monitor;

-- Grant all permissions on monitor database
GRANT ALL ON monitor.* TO monitor;

-- Assign 'program' settings profile to monitor user
ALTER USER monitor SETTINGS PROFILE 'program';

-- Create monitor database if not exists
CREATE DATABASE IF NOT EXISTS monitor ON CLUSTER production;

CREATE TABLE monitor.service_status ON CLUSTER production (
    service_id String,
    timestamp DateTime64(3),
    status_code UInt8,                -- 0 OK, 1 DEGRADED, 2 FAILED, 3 STARTING, 4 STOPPED, 5 UNKNOWN
    message String,
    service_type String,
    stack String,
    details String,
    response_time_ms Nullable(UInt32),
    cpu_usage Nullable(Float32),
    memory_usage Nullable(Float32)
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(timestamp)
ORDER BY (service_id, timestamp)
TTL toDateTime(timestamp) + INTERVAL 90 DAY;

CREATE TABLE monitor.service_metrics ON CLUSTER production (
    service_id String,
    timestamp DateTime64(3),
    metric_name String,
    metric_value Float64,
    metric_unit String,
    tags Map(String, String)
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(timestamp)
ORDER BY (service_id, metric_name, timestamp)
TTL toDateTime(timestamp) + INTERVAL 90 DAY;

CREATE TABLE monitor.service_logs ON CLUSTER production (
    service_id String,
    timestamp DateTime64(3),
    log_level String,
    message String,
    source String,
    error_code Nullable(String),
    stack_trace Nullable(String),
    context Map(String, String)
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(timestamp)
ORDER BY (service_id, timestamp)
TTL toDateTime(timestamp) + INTERVAL 90 DAY;

CREATE TABLE monitor.services ON CLUSTER production (
    service_id String,
    label String,
    service_type String,
    stack String,
    status_config String,
    metric_config String,
    enabled UInt8
)
ENGINE = MergeTree()
ORDER BY (service_id);

CREATE TABLE monitor.service_relations ON CLUSTER production (
    relation_id String,
    source_service_id String,
    target_service_id String,
    relation_type String,
    enabled UInt8
)
ENGINE = MergeTree()
ORDER BY (relation_id);

CREATE TABLE monitor.alert_rules ON CLUSTER production (
    rule_id String,
    service_id String,
    rule_name String,
    condition String,
    threshold Float64,
    severity String,
    notification_channels Array(String)
)
ENGINE = MergeTree()
ORDER BY (rule_id);

CREATE MATERIALIZED VIEW monitor.service_status_summary ON CLUSTER production
ENGINE = SummingMergeTree()
PARTITION BY toYYYYMM(hour)
ORDER BY (service_id, hour)
AS SELECT
    service_id,
    toStartOfHour(timestamp) AS hour,
    count() AS total_checks,
    countIf(status_code = 0) AS ok_checks,
    countIf(status_code = 2) AS failures,
    sum(response_time_ms) AS total_response_time_ms,
    count(response_time_ms) AS timed_checks
FROM monitor.service_status
GROUP BY service_id, hour;
