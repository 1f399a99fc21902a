SELECT 
  step_number,
  step_name,
  step_type,
  latency_ms,
  status
FROM agent_steps
WHERE run_id = 'your-run-id'
ORDER BY step_number;
