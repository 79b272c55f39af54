-- Rows as versions before 0002 wrote them.
INSERT INTO workflows VALUES ('w1', 'echo', NULL, 'h1', 1, 1);
INSERT INTO workflow_versions VALUES ('w1', 'h1', 1, 'yaml', 1, 'name: echo');
INSERT INTO runs (id, state, due_at, worker, epoch, waiting_for, cancel_requested_at, created_at, finished_at, cost_nano_usd, workflow_id, version_hash, workflow_name, source, reversed_id, overrides, done_node_ids, "values", node_ids, inputs)
VALUES ('done', 'succeeded', NULL, NULL, 1, NULL, NULL, 1789999000000, 1789999000050, 7, 'w1', 'h1', 'echo', 'cli', 'enod', '{}', '["read","write"]', '{"topic":"tea","text":"hot"}', '["read","write"]', '{"topic":"tea"}');
INSERT INTO runs (id, state, due_at, worker, epoch, waiting_for, cancel_requested_at, created_at, finished_at, cost_nano_usd, workflow_id, version_hash, workflow_name, source, reversed_id, overrides, done_node_ids, "values", node_ids, inputs)
VALUES ('running', 'running', 1790000000000, 'dead', 1, NULL, NULL, 1789999000000, NULL, 0, 'w1', 'h1', 'echo', 'cli', 'gninnur', '{}', '["read"]', '{"topic":"tea"}', '["read","write"]', '{"topic":"tea"}');
INSERT INTO runs (id, state, due_at, worker, epoch, waiting_for, cancel_requested_at, created_at, finished_at, cost_nano_usd, workflow_id, version_hash, workflow_name, source, reversed_id, overrides, done_node_ids, "values", node_ids, inputs)
VALUES ('waiting', 'waiting', 1789999999999, NULL, 1, 'timer', NULL, 1789999000000, NULL, 0, 'w1', 'h1', 'echo', 'cli', 'gnitiaw', '{}', '["read"]', '{"topic":"tea"}', '["read","write"]', '{"topic":"tea"}');
INSERT INTO runs (id, state, due_at, worker, epoch, waiting_for, cancel_requested_at, created_at, finished_at, cost_nano_usd, workflow_id, version_hash, workflow_name, source, reversed_id, overrides, done_node_ids, "values", node_ids, inputs)
VALUES ('queued', 'queued', 1789999999998, NULL, 0, NULL, NULL, 1789999000000, NULL, 0, 'w1', 'h1', 'echo', 'cli', 'deueuq', '{}', '[]', '{"topic":"tea"}', '["read","write"]', '{"topic":"tea"}');
INSERT INTO runs (id, state, due_at, worker, epoch, waiting_for, cancel_requested_at, created_at, finished_at, cost_nano_usd, workflow_id, version_hash, workflow_name, source, reversed_id, overrides, done_node_ids, "values", node_ids, inputs)
VALUES ('cancelled', 'cancelled', NULL, NULL, 1, NULL, 1789999000040, 1789999000000, 1789999000040, 0, 'w1', 'h1', 'echo', 'cli', 'dellecnac', '{}', '[]', '{"topic":"tea"}', '["read","write"]', '{"topic":"tea"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('done', 'read', 1, 'read', 'succeeded', 1, 3, 1789999000001, 1789999000009, NULL, '{}', NULL, '{"prompt":"w"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('done', 'write', 1, 'write', 'succeeded', 1, 6, 1789999000001, 1789999000009, NULL, '{"text":"hot"}', NULL, '{"prompt":"w"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('running', 'read', 1, 'read', 'succeeded', 1, 3, 1789999000001, 1789999000009, NULL, '{}', NULL, '{"prompt":"w"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('running', 'write', 1, 'write', 'running', 1, 5, 1789999000001, NULL, NULL, NULL, NULL, '{"prompt":"w"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('waiting', 'read', 1, 'read', 'succeeded', 1, 3, 1789999000001, 1789999000009, NULL, '{}', NULL, '{"prompt":"w"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('waiting', 'write', 1, 'write', 'failed', 1, 5, 1789999000001, 1789999000009, 1789999999999, NULL, '{"code":"timeout","message":"Late."}', '{"prompt":"w"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('cancelled', 'read', 1, 'read', 'cancelled', 1, 3, 1789999000001, 1789999000009, NULL, NULL, NULL, '{"prompt":"w"}');
INSERT INTO step_calls VALUES ('done', 'read', 1, 0, 'model', 'm', 1, 2, 0, 0, 0, 7, 1, 2, '{}', '"ok"');
INSERT INTO events VALUES ('done', 1, 1789999000000, 'run.queued', '{}');
INSERT INTO events VALUES ('done', 2, 1789999000001, 'run.started', '{"worker":"w"}');
INSERT INTO events VALUES ('done', 3, 1789999000002, 'step.started', '{"node":"read","step":"read","attempt":1}');
INSERT INTO events VALUES ('done', 4, 1789999000003, 'model.delta', '{"step":"read","attempt":1,"call":0,"text":"x"}');
INSERT INTO events VALUES ('done', 5, 1789999000004, 'step.succeeded', '{"step":"read","attempt":1,"patch":{}}');
INSERT INTO events VALUES ('done', 6, 1789999000005, 'step.started', '{"node":"write","step":"write","attempt":1}');
INSERT INTO events VALUES ('done', 7, 1789999000006, 'step.succeeded', '{"step":"write","attempt":1,"patch":{}}');
INSERT INTO events VALUES ('done', 8, 1789999000007, 'run.succeeded', '{"outputs":{}}');
INSERT INTO events VALUES ('running', 1, 1789999001000, 'run.queued', '{}');
INSERT INTO events VALUES ('running', 2, 1789999001001, 'run.started', '{"worker":"dead"}');
INSERT INTO events VALUES ('running', 3, 1789999001002, 'step.started', '{"node":"read","step":"read","attempt":1}');
INSERT INTO events VALUES ('running', 4, 1789999001003, 'step.succeeded', '{"step":"read","attempt":1,"patch":{}}');
INSERT INTO events VALUES ('running', 5, 1789999001004, 'step.started', '{"node":"write","step":"write","attempt":1}');
INSERT INTO events VALUES ('waiting', 1, 1789999002000, 'run.queued', '{}');
INSERT INTO events VALUES ('waiting', 2, 1789999002001, 'run.started', '{"worker":"w"}');
INSERT INTO events VALUES ('waiting', 3, 1789999002002, 'step.started', '{"node":"read","step":"read","attempt":1}');
INSERT INTO events VALUES ('waiting', 4, 1789999002003, 'step.succeeded', '{"step":"read","attempt":1,"patch":{}}');
INSERT INTO events VALUES ('waiting', 5, 1789999002004, 'step.started', '{"node":"write","step":"write","attempt":1}');
INSERT INTO events VALUES ('waiting', 6, 1789999002005, 'step.failed', '{"step":"write","attempt":1,"error":{"code":"timeout","message":"Late."},"retryAtMs":1789999999999}');
INSERT INTO events VALUES ('waiting', 7, 1789999002006, 'run.waiting', '{"for":"timer","untilMs":1789999999999}');
INSERT INTO events VALUES ('queued', 1, 1789999000500, 'run.queued', '{}');
INSERT INTO events VALUES ('cancelled', 1, 1789999000100, 'run.queued', '{}');
INSERT INTO events VALUES ('cancelled', 2, 1789999000101, 'run.started', '{"worker":"w"}');
INSERT INTO events VALUES ('cancelled', 3, 1789999000102, 'step.started', '{"node":"read","step":"read","attempt":1}');
INSERT INTO events VALUES ('cancelled', 4, 1789999000103, 'run.cancelled', '{}');
INSERT INTO run_counts VALUES ('queued', 3), ('running', 1), ('waiting', 1), ('succeeded', 1), ('cancelled', 1);
INSERT INTO runs (id, state, due_at, worker, epoch, waiting_for, cancel_requested_at, created_at, finished_at, cost_nano_usd, workflow_id, version_hash, workflow_name, source, reversed_id, overrides, done_node_ids, "values", node_ids, inputs)
VALUES ('between', 'queued', 1790000900000, NULL, 1, NULL, NULL, 1789999000000, NULL, 0, 'w1', 'h1', 'echo', 'cli', 'neewteb', '{}', '["read"]', '{"topic":"tea"}', '["read","write"]', '{"topic":"tea"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('between', 'read', 1, 'read', 'succeeded', 1, 3, 1789999000001, 1789999000009, NULL, '{}', NULL, '{"prompt":"w"}');
INSERT INTO events VALUES ('between', 1, 1789999000300, 'run.queued', '{}');
INSERT INTO events VALUES ('between', 2, 1789999000301, 'run.started', '{"worker":"dead"}');
INSERT INTO events VALUES ('between', 3, 1789999000302, 'step.started', '{"node":"read","step":"read","attempt":1}');
INSERT INTO events VALUES ('between', 4, 1789999000303, 'step.succeeded', '{"step":"read","attempt":1,"patch":{}}');
INSERT INTO runs (id, state, due_at, worker, epoch, waiting_for, cancel_requested_at, created_at, finished_at, cost_nano_usd, workflow_id, version_hash, workflow_name, source, reversed_id, overrides, done_node_ids, "values", node_ids, inputs)
VALUES ('early', 'queued', 1790000900000, NULL, 1, NULL, NULL, 1789999000000, NULL, 0, 'w1', 'h1', 'echo', 'cli', 'ylrae', '{}', '["read"]', '{"topic":"tea"}', '["read","write","mail"]', '{"topic":"tea"}');
INSERT INTO steps (run_id, key, attempt, node_id, state, epoch, seq, started_at, finished_at, retry_at, patch, error, input) VALUES ('early', 'read', 1, 'read', 'succeeded', 1, 3, 1789999000001, 1789999000009, NULL, '{}', NULL, '{"prompt":"w"}');
INSERT INTO events VALUES ('early', 1, 1789999000300, 'run.queued', '{}');
INSERT INTO events VALUES ('early', 2, 1789999000301, 'run.started', '{"worker":"dead"}');
INSERT INTO events VALUES ('early', 3, 1789999000302, 'step.started', '{"node":"read","step":"read","attempt":1}');
INSERT INTO events VALUES ('early', 4, 1789999000303, 'step.succeeded', '{"step":"read","attempt":1,"patch":{}}');
