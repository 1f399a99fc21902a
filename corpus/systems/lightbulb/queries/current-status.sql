SELECT 
    service_id,
    argMax(status_code, timestamp) as current_status,
    argMax(message, timestamp) as last_message,
    argMax(timestamp, timestamp) as last_check
FROM monitor.service_status 
GROUP BY service_id;
