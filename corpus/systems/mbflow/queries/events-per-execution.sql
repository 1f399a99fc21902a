-- Event count per execution
SELECT execution_id, COUNT(*) as event_count
FROM events GROUP BY execution_id ORDER BY event_count DESC LIMIT 10;
