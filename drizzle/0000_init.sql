CREATE TABLE `events` (
	`run_id` text NOT NULL,
	`seq` integer NOT NULL,
	`at` integer NOT NULL,
	`type` text NOT NULL,
	`data` text NOT NULL,
	PRIMARY KEY(`run_id`, `seq`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `events_by_at` ON `events` (`at`) WHERE type <> 'model.delta';--> statement-breakpoint
CREATE TABLE `run_counts` (
	`state` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `run_minutes` (
	`starts_at` integer PRIMARY KEY NOT NULL,
	`created` integer DEFAULT 0 NOT NULL,
	`succeeded` integer DEFAULT 0 NOT NULL,
	`failed` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer DEFAULT 0 NOT NULL,
	`tokens` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE `runs` (
	`id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`due_at` integer,
	`worker` text,
	`epoch` integer DEFAULT 0 NOT NULL,
	`waiting_for` text,
	`reserved_for` text,
	`cancel_requested_at` integer,
	`created_at` integer NOT NULL,
	`started_at` integer,
	`finished_at` integer,
	`active_ms` integer DEFAULT 0 NOT NULL,
	`active_at` integer,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cache_read_tokens` integer DEFAULT 0 NOT NULL,
	`cache_write_tokens` integer DEFAULT 0 NOT NULL,
	`reasoning_tokens` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer DEFAULT 0 NOT NULL,
	`unpriced_count` integer DEFAULT 0 NOT NULL,
	`workflow_id` text NOT NULL,
	`version_hash` text NOT NULL,
	`workflow_name` text NOT NULL,
	`source` text NOT NULL,
	`reversed_id` text NOT NULL,
	`error` text,
	`overrides` text NOT NULL,
	`done_node_ids` text NOT NULL,
	`values` text NOT NULL,
	`node_ids` text NOT NULL,
	`inputs` text NOT NULL,
	FOREIGN KEY (`workflow_id`,`version_hash`) REFERENCES `workflow_versions`(`workflow_id`,`hash`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE INDEX `runs_by_due_at` ON `runs` (`due_at`) WHERE due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `runs_by_state` ON `runs` (`state`,`id`);--> statement-breakpoint
CREATE INDEX `runs_by_workflow` ON `runs` (`workflow_id`,`state`,`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `runs_by_reversed_id` ON `runs` (`reversed_id`);--> statement-breakpoint
CREATE TABLE `services` (
	`name` text PRIMARY KEY NOT NULL,
	`position` integer NOT NULL,
	`state` text NOT NULL,
	`pid` integer,
	`url` text,
	`restart_count` integer NOT NULL,
	`since` integer,
	`message` text,
	`fix` text
);
--> statement-breakpoint
CREATE TABLE `session_state` (
	`id` integer PRIMARY KEY NOT NULL,
	`started_at` integer NOT NULL,
	`pid` integer NOT NULL,
	`url` text NOT NULL,
	`version` text NOT NULL,
	`clean` integer NOT NULL,
	`interrupted_run_ids` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `settings` (
	`key` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `step_calls` (
	`run_id` text NOT NULL,
	`key` text NOT NULL,
	`attempt` integer NOT NULL,
	`ordinal` integer NOT NULL,
	`kind` text NOT NULL,
	`name` text NOT NULL,
	`input_tokens` integer NOT NULL,
	`output_tokens` integer NOT NULL,
	`cache_read_tokens` integer NOT NULL,
	`cache_write_tokens` integer NOT NULL,
	`reasoning_tokens` integer NOT NULL,
	`cost_nano_usd` integer,
	`started_at` integer NOT NULL,
	`finished_at` integer NOT NULL,
	`request` text NOT NULL,
	`result` text NOT NULL,
	PRIMARY KEY(`run_id`, `key`, `attempt`, `ordinal`),
	FOREIGN KEY (`run_id`,`key`,`attempt`) REFERENCES `steps`(`run_id`,`key`,`attempt`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `steps` (
	`run_id` text NOT NULL,
	`key` text NOT NULL,
	`attempt` integer NOT NULL,
	`node_id` text NOT NULL,
	`state` text NOT NULL,
	`epoch` integer NOT NULL,
	`seq` integer NOT NULL,
	`recovery_count` integer DEFAULT 0 NOT NULL,
	`started_at` integer NOT NULL,
	`finished_at` integer,
	`retry_at` integer,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cache_read_tokens` integer DEFAULT 0 NOT NULL,
	`cache_write_tokens` integer DEFAULT 0 NOT NULL,
	`reasoning_tokens` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer DEFAULT 0 NOT NULL,
	`unpriced_count` integer DEFAULT 0 NOT NULL,
	`error` text,
	`patch` text,
	`input` text NOT NULL,
	PRIMARY KEY(`run_id`, `key`, `attempt`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `workflow_versions` (
	`workflow_id` text NOT NULL,
	`hash` text NOT NULL,
	`number` integer NOT NULL,
	`format` text NOT NULL,
	`created_at` integer NOT NULL,
	`source` text NOT NULL,
	PRIMARY KEY(`workflow_id`, `hash`),
	FOREIGN KEY (`workflow_id`) REFERENCES `workflows`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `workflow_versions_by_number` ON `workflow_versions` (`workflow_id`,`number`);--> statement-breakpoint
CREATE TABLE `workflows` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`description` text,
	`version_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `workflows_name_unique` ON `workflows` (`name`);