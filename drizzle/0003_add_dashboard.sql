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