CREATE TABLE `run_half_hours` (
	`starts_at` integer PRIMARY KEY NOT NULL,
	`created` integer DEFAULT 0 NOT NULL,
	`succeeded` integer DEFAULT 0 NOT NULL,
	`failed` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer DEFAULT 0 NOT NULL,
	`tokens` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
INSERT INTO `run_half_hours` (`starts_at`, `created`, `succeeded`, `failed`, `cost_nano_usd`, `tokens`)
SELECT starts_at / 1800000 * 1800000, sum(created), sum(succeeded), sum(failed), sum(cost_nano_usd), sum(tokens) FROM `run_minutes` GROUP BY 1;
--> statement-breakpoint
-- By hand: WITHOUT ROWID, in the order in which they are read, and the rows of days. Up to now a day had a row of
-- its own in place of its hours once it was old, and perhaps hours that came late: together they are the day.
CREATE TABLE `__new_model_spans` (
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
	PRIMARY KEY(`span_ms`, `starts_at`, `workflow_id`, `model`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_model_spans` (`workflow_id`, `model`, `starts_at`, `span_ms`, `calls`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `cost_nano_usd`)
SELECT workflow_id, model, starts_at, span_ms, calls, duration_ms, duration_ms_max, input_tokens, output_tokens, cache_read_tokens, cost_nano_usd FROM `model_spans` WHERE span_ms = 3600000;
--> statement-breakpoint
INSERT INTO `__new_model_spans` (`workflow_id`, `model`, `starts_at`, `span_ms`, `calls`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `cost_nano_usd`)
SELECT workflow_id, model, starts_at / 86400000 * 86400000, 86400000, sum(calls), sum(duration_ms), max(duration_ms_max), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cost_nano_usd) FROM `model_spans` GROUP BY 1, 2, 3;
--> statement-breakpoint
DROP TABLE `model_spans`;--> statement-breakpoint
ALTER TABLE `__new_model_spans` RENAME TO `model_spans`;--> statement-breakpoint
CREATE TABLE `__new_node_spans` (
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
	PRIMARY KEY(`span_ms`, `starts_at`, `workflow_id`, `node_id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_node_spans` (`workflow_id`, `node_id`, `starts_at`, `span_ms`, `succeeded`, `failed`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cost_nano_usd`)
SELECT workflow_id, node_id, starts_at, span_ms, succeeded, failed, duration_ms, duration_ms_max, input_tokens, output_tokens, cost_nano_usd FROM `node_spans` WHERE span_ms = 3600000;
--> statement-breakpoint
INSERT INTO `__new_node_spans` (`workflow_id`, `node_id`, `starts_at`, `span_ms`, `succeeded`, `failed`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cost_nano_usd`)
SELECT workflow_id, node_id, starts_at / 86400000 * 86400000, 86400000, sum(succeeded), sum(failed), sum(duration_ms), max(duration_ms_max), sum(input_tokens), sum(output_tokens), sum(cost_nano_usd) FROM `node_spans` GROUP BY 1, 2, 3;
--> statement-breakpoint
DROP TABLE `node_spans`;--> statement-breakpoint
ALTER TABLE `__new_node_spans` RENAME TO `node_spans`;--> statement-breakpoint
CREATE TABLE `__new_workflow_spans` (
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
	PRIMARY KEY(`workflow_id`, `span_ms`, `starts_at`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `__new_workflow_spans` (`workflow_id`, `starts_at`, `span_ms`, `created`, `succeeded`, `failed`, `cancelled`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cost_nano_usd`)
SELECT workflow_id, starts_at, span_ms, created, succeeded, failed, cancelled, duration_ms, duration_ms_max, input_tokens, output_tokens, cost_nano_usd FROM `workflow_spans` WHERE span_ms = 3600000;
--> statement-breakpoint
INSERT INTO `__new_workflow_spans` (`workflow_id`, `starts_at`, `span_ms`, `created`, `succeeded`, `failed`, `cancelled`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cost_nano_usd`)
SELECT workflow_id, starts_at / 86400000 * 86400000, 86400000, sum(created), sum(succeeded), sum(failed), sum(cancelled), sum(duration_ms), max(duration_ms_max), sum(input_tokens), sum(output_tokens), sum(cost_nano_usd) FROM `workflow_spans` GROUP BY 1, 2;
--> statement-breakpoint
INSERT INTO `__new_workflow_spans` (`workflow_id`, `starts_at`, `span_ms`, `created`, `succeeded`, `failed`, `cancelled`, `duration_ms`, `duration_ms_max`, `input_tokens`, `output_tokens`, `cost_nano_usd`)
SELECT '', starts_at, span_ms, sum(created), sum(succeeded), sum(failed), sum(cancelled), sum(duration_ms), max(duration_ms_max), sum(input_tokens), sum(output_tokens), sum(cost_nano_usd) FROM `__new_workflow_spans` GROUP BY starts_at, span_ms;
--> statement-breakpoint
DROP TABLE `workflow_spans`;--> statement-breakpoint
ALTER TABLE `__new_workflow_spans` RENAME TO `workflow_spans`;--> statement-breakpoint
CREATE INDEX `workflow_spans_by_start` ON `workflow_spans` (`span_ms`,`starts_at`);
