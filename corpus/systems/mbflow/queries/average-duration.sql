-- Average execution duration
SELECT AVG(completed_at - started_at) AS avg_duration
FROM executions WHERE status = 'completed';
