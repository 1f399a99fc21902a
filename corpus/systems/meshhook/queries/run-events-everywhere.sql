-- Less optimal: Scans all partitions
SELECT * FROM workflow_events
WHERE run_id = 'uuid';
