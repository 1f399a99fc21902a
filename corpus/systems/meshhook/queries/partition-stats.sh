# SELECT * FROM get_workflow_events_partition_stats();
evstat -q -o json store/workflow_events |
	jq -c '{partition_name: "workflow_events_y\(.from[:4])m\(.from[5:7])", start_date: .from[:10], first_event: .oldest,
		last_event: .newest, row_count: .rows}'
