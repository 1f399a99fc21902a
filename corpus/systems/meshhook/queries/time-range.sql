-- Get events in a time range
SELECT * FROM workflow_events
WHERE ts >= '2025-01-01' AND ts < '2025-02-01';
