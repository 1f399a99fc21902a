-- A workflow engine with event sourcing: definitions, executions, and the immutable log of events. See MENDS.md.

CREATE EXTENSION IF NOT EXISTS "pgcrypto";

CREATE TABLE workflows (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    name VARCHAR(255) NOT NULL,
    description TEXT,
    version INTEGER NOT NULL DEFAULT 1,
    status VARCHAR(20) NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'archived')),
    metadata JSONB NOT NULL DEFAULT '{}'::jsonb,
    created_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW(),
    deleted_at TIMESTAMPTZ(3),
    CONSTRAINT workflows_name_version_unique UNIQUE (name, version)
);

CREATE INDEX idx_workflows_status ON workflows (status) WHERE deleted_at IS NULL;
CREATE INDEX idx_workflows_created_at ON workflows (created_at DESC);
CREATE INDEX idx_workflows_name ON workflows (name);
CREATE INDEX idx_workflows_metadata ON workflows USING GIN (metadata);

CREATE TABLE nodes (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id UUID NOT NULL REFERENCES workflows(id) ON DELETE CASCADE,
    name VARCHAR(255) NOT NULL,
    type VARCHAR(50) NOT NULL CHECK (type IN ('http', 'transform', 'llm', 'conditional', 'merge', 'split', 'delay', 'webhook')),
    config JSONB NOT NULL DEFAULT '{}'::jsonb,
    position JSONB,
    created_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_nodes_workflow_id ON nodes (workflow_id);
CREATE INDEX idx_nodes_type ON nodes (type);
CREATE INDEX idx_nodes_config ON nodes USING GIN (config);

CREATE TABLE edges (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id UUID NOT NULL REFERENCES workflows(id) ON DELETE CASCADE,
    source_node_id UUID NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
    target_node_id UUID NOT NULL REFERENCES nodes(id) ON DELETE CASCADE,
    condition JSONB,
    created_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW(),
    CONSTRAINT edges_no_self_reference CHECK (source_node_id != target_node_id)
);

CREATE INDEX idx_edges_workflow_id ON edges (workflow_id);
CREATE INDEX idx_edges_source_node_id ON edges (source_node_id);
CREATE INDEX idx_edges_target_node_id ON edges (target_node_id);
CREATE UNIQUE INDEX idx_edges_source_target ON edges (source_node_id, target_node_id);

CREATE TABLE executions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id UUID NOT NULL REFERENCES workflows(id) ON DELETE RESTRICT,
    status VARCHAR(20) NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled', 'paused')),
    input JSONB,
    output JSONB,
    error TEXT,
    started_at TIMESTAMPTZ(3),
    completed_at TIMESTAMPTZ(3),
    created_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_executions_workflow_created ON executions (workflow_id, created_at DESC);
CREATE INDEX idx_executions_status_created ON executions (status, created_at DESC);

CREATE TABLE node_executions (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    execution_id UUID NOT NULL REFERENCES executions(id) ON DELETE CASCADE,
    node_id UUID NOT NULL REFERENCES nodes(id) ON DELETE RESTRICT,
    node_type VARCHAR(50),
    status VARCHAR(20) NOT NULL DEFAULT 'pending'
        CHECK (status IN ('pending', 'running', 'completed', 'failed', 'skipped', 'retrying')),
    wave INTEGER NOT NULL DEFAULT 0,
    retry_count INTEGER NOT NULL DEFAULT 0,
    input JSONB,
    output JSONB,
    error TEXT,
    started_at TIMESTAMPTZ(3),
    completed_at TIMESTAMPTZ(3),
    created_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_node_executions_execution_id ON node_executions (execution_id);
CREATE INDEX idx_node_executions_wave ON node_executions (wave);
CREATE UNIQUE INDEX idx_node_executions_execution_node ON node_executions (execution_id, node_id);

CREATE TABLE events (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    execution_id UUID NOT NULL REFERENCES executions(id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL,
    event_type VARCHAR(50) NOT NULL,
    payload JSONB NOT NULL DEFAULT '{}'::jsonb,
    created_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW()
);

CREATE UNIQUE INDEX idx_events_execution_sequence ON events (execution_id, sequence);
CREATE INDEX idx_events_type_created ON events (event_type, created_at DESC);

CREATE TABLE triggers (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    workflow_id UUID NOT NULL REFERENCES workflows(id) ON DELETE CASCADE,
    type VARCHAR(20) NOT NULL CHECK (type IN ('manual', 'cron', 'webhook', 'event', 'interval')),
    config JSONB NOT NULL DEFAULT '{}'::jsonb,
    enabled BOOLEAN NOT NULL DEFAULT true,
    last_triggered_at TIMESTAMPTZ(3),
    created_at TIMESTAMPTZ(3) NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_triggers_workflow_enabled ON triggers (workflow_id, enabled);
CREATE INDEX idx_triggers_type ON triggers (type);
CREATE INDEX idx_triggers_config ON triggers USING GIN (config);
