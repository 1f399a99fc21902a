-- Failed executions in last 24 hours
SELECT COUNT(*) FROM executions
WHERE status = 'failed' AND created_at > NOW() - INTERVAL '24 hours';
