SELECT 
  toStartOfHour(timestamp) as hour,
  countIf(status = 'error') as errors,
  count() as total,
  (errors / total * 100) as error_rate_pct
FROM events
WHERE project_id = 'your-project'
  AND event_type = 'prompt_call'
  AND timestamp >= now() - INTERVAL 24 HOUR
GROUP BY hour
ORDER BY hour DESC;
