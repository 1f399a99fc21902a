# PARTITION BY (tenant_id, toMonday(timestamp)): what is there to be dropped?
evstat -q -o json store/task_events | jq -c '{tenant_id: .tenant, week: .from[:10], rows}'
