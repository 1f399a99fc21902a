evagg -a 'count()' store/workflow_events/_/2025-01-01.evs
