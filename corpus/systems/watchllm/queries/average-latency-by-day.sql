SELECT day, sum(total_latency_ms) / sum(timed_events) AS avg_latency FROM daily_metrics GROUP BY day ORDER BY day;
