-- Good: Uses partition pruning
SELECT * FROM workflow_events
WHERE run_id = 'uuid' AND ts >= '2025-01-01';
