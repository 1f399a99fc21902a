evcat -k run_id=5c1d7a6e-0f3b-4a52-9d57-2f2f8a3c9e10 --since 2025-01-01 --until 2025-01-31 store/workflow_events
