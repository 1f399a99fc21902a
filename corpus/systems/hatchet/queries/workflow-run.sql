-- Single workflow run on /workflow-runs/:id

SELECT *
FROM events
WHERE task_id = 2 -- :id
