SELECT * FROM hourly_metrics;
