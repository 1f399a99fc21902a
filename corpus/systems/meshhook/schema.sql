-- The event log of a workflow engine, by month. See MENDS.md.

CREATE TABLE workflow_events (
  id bigserial,
  run_id uuid NOT NULL,
  ts timestamptz NOT NULL DEFAULT now(),
  type text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id, ts)
) PARTITION BY RANGE (ts);

CREATE INDEX workflow_events_run_id_idx ON workflow_events (run_id);
CREATE INDEX workflow_events_run_ts_idx ON workflow_events (run_id, ts);
CREATE INDEX workflow_events_type_idx ON workflow_events (type);
