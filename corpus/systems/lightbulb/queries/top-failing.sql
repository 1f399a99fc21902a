SELECT 
    service_id,
    countIf(status_code = 2) / count() * 100 as failure_rate,
    count() as total_checks
FROM monitor.service_status
WHERE timestamp >= now() - INTERVAL 1 HOUR
GROUP BY service_id
HAVING failure_rate > 5
ORDER BY failure_rate DESC;
