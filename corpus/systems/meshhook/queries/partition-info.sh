# SELECT * FROM workflow_events_partition_info;
evstat -q -o json store/workflow_events | jq -c '{partition: .from[:7], row_count: .rows}'
