evcat --latest task_id store/task_events
