SELECT * FROM project_summary;
