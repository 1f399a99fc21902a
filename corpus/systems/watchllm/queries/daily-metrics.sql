SELECT * FROM daily_metrics;
