evschema apply store nowhere.sql
