SELECT * FROM monitor.service_status_summary;
