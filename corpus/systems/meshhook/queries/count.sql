-- Bad: Scans all partitions
SELECT COUNT(*) FROM workflow_events;
