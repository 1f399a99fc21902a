SELECT toStartOfHour(ts) AS hour, countIf(n = 2) AS errors, count() AS total,
 (errors / total * 100) AS pct FROM demo WHERE hour > now() - INTERVAL 24 HOUR
GROUP BY hour HAVING pct > 5 ORDER BY hour DESC LIMIT 10