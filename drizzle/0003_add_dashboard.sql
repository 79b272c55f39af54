CREATE TABLE `access_tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`digest` text NOT NULL,
	`scope` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	`expires_at` integer
);
--> statement-breakpoint
CREATE UNIQUE INDEX `access_tokens_by_digest` ON `access_tokens` (`digest`);--> statement-breakpoint
CREATE TABLE `agents` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`url` text NOT NULL,
	`ttl_seconds` integer NOT NULL,
	`registered_at` integer NOT NULL,
	`heartbeat_at` integer NOT NULL,
	`capabilities` text NOT NULL,
	`metadata` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `agents_by_name` ON `agents` (`name`,`id`);--> statement-breakpoint
CREATE TABLE `idempotent_answers` (
	`key` text PRIMARY KEY NOT NULL,
	`request_digest` text NOT NULL,
	`created_at` integer NOT NULL,
	`status` integer,
	`location` text,
	`body` text
);
--> statement-breakpoint
CREATE INDEX `idempotent_answers_by_created_at` ON `idempotent_answers` (`created_at`);--> statement-breakpoint
CREATE TABLE `model_spans` (
	`workflow_id` text NOT NULL,
	`starts_at` integer NOT NULL,
	`span_ms` integer NOT NULL,
	`model` text NOT NULL,
	`calls` integer DEFAULT 0 NOT NULL,
	`duration_ms` integer DEFAULT 0 NOT NULL,
	`duration_ms_max` integer DEFAULT 0 NOT NULL,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cache_read_tokens` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`workflow_id`, `model`, `starts_at`, `span_ms`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `model_spans_by_start` ON `model_spans` (`starts_at`);--> statement-breakpoint
CREATE TABLE `node_spans` (
	`workflow_id` text NOT NULL,
	`starts_at` integer NOT NULL,
	`span_ms` integer NOT NULL,
	`node_id` text NOT NULL,
	`succeeded` integer DEFAULT 0 NOT NULL,
	`failed` integer DEFAULT 0 NOT NULL,
	`duration_ms` integer DEFAULT 0 NOT NULL,
	`duration_ms_max` integer DEFAULT 0 NOT NULL,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`workflow_id`, `node_id`, `starts_at`, `span_ms`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `node_spans_by_start` ON `node_spans` (`starts_at`);--> statement-breakpoint
CREATE TABLE `workflow_spans` (
	`workflow_id` text NOT NULL,
	`starts_at` integer NOT NULL,
	`span_ms` integer NOT NULL,
	`created` integer DEFAULT 0 NOT NULL,
	`succeeded` integer DEFAULT 0 NOT NULL,
	`failed` integer DEFAULT 0 NOT NULL,
	`cancelled` integer DEFAULT 0 NOT NULL,
	`duration_ms` integer DEFAULT 0 NOT NULL,
	`duration_ms_max` integer DEFAULT 0 NOT NULL,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`workflow_id`, `starts_at`, `span_ms`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `workflow_spans_by_start` ON `workflow_spans` (`starts_at`);--> statement-breakpoint
CREATE INDEX `runs_by_cost` ON `runs` (`cost_nano_usd`,`id`) WHERE finished_at IS NOT NULL;
--> statement-breakpoint
-- What has been up to now, as far as runs, attempts and calls still tell. A run that was resumed has ended
-- once here; copies of attempts in forks (epoch 0) were made elsewhere.
INSERT INTO `workflow_spans` (`workflow_id`, `starts_at`, `span_ms`, `created`, `succeeded`, `failed`, `cancelled`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cost_nano_usd`)
SELECT workflow_id, at / 3600000 * 3600000, 3600000, sum(created), sum(succeeded), sum(failed), sum(cancelled), sum(duration_ms), max(duration_ms), sum(input_tokens), sum(output_tokens), sum(cost_nano_usd)
FROM (
	SELECT workflow_id, created_at AS at, 1 AS created, 0 AS succeeded, 0 AS failed, 0 AS cancelled, 0 AS duration_ms, 0 AS input_tokens, 0 AS output_tokens, 0 AS cost_nano_usd FROM runs
	UNION ALL
	SELECT workflow_id, finished_at, 0, state = 'succeeded', state = 'failed', state = 'cancelled', max(0, finished_at - coalesce(started_at, finished_at)), 0, 0, 0 FROM runs WHERE finished_at IS NOT NULL AND state IN ('succeeded', 'failed', 'cancelled')
	UNION ALL
	SELECT runs.workflow_id, step_calls.finished_at, 0, 0, 0, 0, 0, step_calls.input_tokens, step_calls.output_tokens, coalesce(step_calls.cost_nano_usd, 0) FROM step_calls JOIN runs ON runs.id = step_calls.run_id WHERE step_calls.kind = 'model'
)
GROUP BY 1, 2;
--> statement-breakpoint
INSERT INTO `node_spans` (`workflow_id`, `node_id`, `starts_at`, `span_ms`, `succeeded`, `failed`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cost_nano_usd`)
SELECT workflow_id, node_id, at / 3600000 * 3600000, 3600000, sum(succeeded), sum(failed), sum(duration_ms), max(duration_ms), sum(input_tokens), sum(output_tokens), sum(cost_nano_usd)
FROM (
	SELECT runs.workflow_id, node_id, steps.finished_at AS at, steps.error IS NULL AS succeeded, steps.error IS NOT NULL AS failed, max(0, steps.finished_at - steps.started_at) AS duration_ms, 0 AS input_tokens, 0 AS output_tokens, 0 AS cost_nano_usd FROM steps JOIN runs ON runs.id = steps.run_id
	WHERE steps.epoch > 0 AND steps.finished_at IS NOT NULL AND (steps.patch IS NOT NULL OR steps.error IS NOT NULL)
	UNION ALL
	SELECT runs.workflow_id, steps.node_id, step_calls.finished_at, 0, 0, 0, step_calls.input_tokens, step_calls.output_tokens, coalesce(step_calls.cost_nano_usd, 0) FROM step_calls JOIN steps USING (run_id, key, attempt) JOIN runs ON runs.id = step_calls.run_id WHERE step_calls.kind = 'model'
)
GROUP BY 1, 2, 3;
--> statement-breakpoint
INSERT INTO `model_spans` (`workflow_id`, `model`, `starts_at`, `span_ms`, `calls`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `cost_nano_usd`)
SELECT workflow_id, name, step_calls.finished_at / 3600000 * 3600000, 3600000, count(*), sum(max(0, step_calls.finished_at - step_calls.started_at)), max(max(0, step_calls.finished_at - step_calls.started_at)), sum(step_calls.input_tokens), sum(step_calls.output_tokens), sum(step_calls.cache_read_tokens), sum(coalesce(step_calls.cost_nano_usd, 0))
FROM step_calls JOIN runs ON runs.id = step_calls.run_id WHERE kind = 'model'
GROUP BY 1, 2, 3;
