-- Get all events for a run
SELECT * FROM workflow_events 
WHERE run_id = 'some-uuid'
ORDER BY ts;
