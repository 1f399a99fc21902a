SELECT * FROM watchllm.events WHERE event_id = 'test-001';
