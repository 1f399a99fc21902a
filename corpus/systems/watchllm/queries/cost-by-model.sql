SELECT 
  model,
  count() as requests,
  sum(cost_estimate_usd) as total_cost,
  avg(latency_ms) as avg_latency
FROM events 
WHERE project_id = 'your-project' 
  AND event_type = 'prompt_call'
  AND timestamp >= now() - INTERVAL 7 DAY
GROUP BY model
ORDER BY total_cost DESC;
