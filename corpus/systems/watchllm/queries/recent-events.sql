SELECT 
  event_id, 
  timestamp, 
  event_type, 
  model, 
  status, 
  cost_estimate_usd
FROM events 
WHERE project_id = 'your-project'
ORDER BY timestamp DESC 
LIMIT 100;
