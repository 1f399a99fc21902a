-- Active executions
SELECT COUNT(*) FROM executions WHERE status = 'running';
