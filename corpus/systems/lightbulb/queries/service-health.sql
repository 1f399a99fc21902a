SELECT 
    service_id,
    toStartOfHour(timestamp) as hour,
    avg(response_time_ms) as avg_response_time,
    countIf(status_code = 2) as failures,
    count() as total_checks
FROM monitor.service_status
WHERE timestamp >= now() - INTERVAL 24 HOUR
GROUP BY service_id, hour
ORDER BY service_id, hour;
