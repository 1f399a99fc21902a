-- Only scans January 2025 partition
SELECT * FROM workflow_events
WHERE ts >= '2025-01-15' AND ts < '2025-01-20';
