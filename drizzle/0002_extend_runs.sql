-- Written by hand from what drizzle-kit generated: `runs` and `steps` are rebuilt, so that columns that
-- change often stay before the long ones.
CREATE TABLE `cached_answers` (
	`position` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`answer` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `memories` (
	`number` integer PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`namespace` text NOT NULL,
	`scope` text NOT NULL,
	`agent` text NOT NULL,
	`run_id` text,
	`node_id` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`expires_at` integer,
	`key` text NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `memory_counts` (
	`agent` text PRIMARY KEY NOT NULL,
	`count` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `provider_blocks` (
	`account` text PRIMARY KEY NOT NULL,
	`until_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `provider_turns` (
	`id` integer PRIMARY KEY NOT NULL,
	`account` text NOT NULL,
	`taken_at` integer NOT NULL,
	`held_until` integer
);
--> statement-breakpoint
CREATE TABLE `signals` (
	`run_id` text NOT NULL,
	`seq` integer NOT NULL,
	`name` text NOT NULL,
	`at` integer NOT NULL,
	`by` text,
	`consumed_by` text,
	`payload` text NOT NULL,
	PRIMARY KEY(`run_id`, `seq`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `cached_answers_by_key` ON `cached_answers` (`key`);
--> statement-breakpoint
CREATE UNIQUE INDEX `memories_by_id` ON `memories` (`id`);
--> statement-breakpoint
CREATE INDEX `memories_by_updated_at` ON `memories` (`namespace`,`updated_at`);
--> statement-breakpoint
CREATE INDEX `memories_by_agent` ON `memories` (`agent`);
--> statement-breakpoint
CREATE INDEX `memories_by_scope` ON `memories` (`scope`);
--> statement-breakpoint
CREATE INDEX `memories_by_run` ON `memories` (`run_id`) WHERE run_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX `memories_by_expires_at` ON `memories` (`expires_at`) WHERE expires_at IS NOT NULL;
--> statement-breakpoint
CREATE UNIQUE INDEX `memories_by_key` ON `memories` (`namespace`,`key`);
--> statement-breakpoint
CREATE INDEX `provider_turns_by_account` ON `provider_turns` (`account`,`taken_at`);
--> statement-breakpoint
CREATE INDEX `provider_turns_held` ON `provider_turns` (`account`,`held_until`) WHERE held_until IS NOT NULL;
--> statement-breakpoint
CREATE VIRTUAL TABLE `memory_words` USING fts5 (namespace, key, value, content='memories', content_rowid='number', tokenize='unicode61 remove_diacritics 2');
--> statement-breakpoint
CREATE TRIGGER `memories_added` AFTER INSERT ON `memories` BEGIN
	INSERT INTO memory_words (rowid, namespace, key, value) VALUES (new.number, new.namespace, new.key, new.value);
	INSERT INTO memory_counts (agent, count) VALUES (new.agent, 1) ON CONFLICT (agent) DO UPDATE SET count = count + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `memories_removed` AFTER DELETE ON `memories` BEGIN
	INSERT INTO memory_words (memory_words, rowid, namespace, key, value) VALUES ('delete', old.number, old.namespace, old.key, old.value);
	UPDATE memory_counts SET count = count - 1 WHERE agent = old.agent;
END;
--> statement-breakpoint
CREATE TRIGGER `memories_changed` AFTER UPDATE ON `memories` BEGIN
	INSERT INTO memory_words (memory_words, rowid, namespace, key, value) VALUES ('delete', old.number, old.namespace, old.key, old.value);
	INSERT INTO memory_words (rowid, namespace, key, value) VALUES (new.number, new.namespace, new.key, new.value);
END;
--> statement-breakpoint
DROP INDEX `events_by_at`;
--> statement-breakpoint
CREATE INDEX `events_by_at` ON `events` (`at`) WHERE type NOT IN ('model.delta', 'output.delta');
--> statement-breakpoint
CREATE TABLE `new_runs` (
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
	`wake_count` integer DEFAULT 0 NOT NULL,
	`depth` integer DEFAULT 0 NOT NULL,
	`root_id` text NOT NULL,
	`origin_kind` text,
	`origin_run_id` text,
	`origin_step` text,
	`tree_cost_nano_usd` integer DEFAULT 0 NOT NULL,
	`tree_token_count` integer DEFAULT 0 NOT NULL,
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
INSERT INTO `new_runs` (`id`, `state`, `due_at`, `worker`, `epoch`, `waiting_for`, `reserved_for`, `cancel_requested_at`, `created_at`, `started_at`, `finished_at`, `active_ms`, `active_at`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `cache_write_tokens`, `reasoning_tokens`, `cost_nano_usd`, `unpriced_count`, `workflow_id`, `version_hash`, `workflow_name`, `source`, `reversed_id`, `error`, `overrides`, `done_node_ids`, `values`, `node_ids`, `inputs`, `root_id`, `tree_cost_nano_usd`, `tree_token_count`)
SELECT `id`, `state`, `due_at`, `worker`, `epoch`, `waiting_for`, `reserved_for`, `cancel_requested_at`, `created_at`, `started_at`, `finished_at`, `active_ms`, `active_at`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `cache_write_tokens`, `reasoning_tokens`, `cost_nano_usd`, `unpriced_count`, `workflow_id`, `version_hash`, `workflow_name`, `source`, `reversed_id`, `error`, `overrides`, `done_node_ids`, `values`, `node_ids`, `inputs`, `id`, `cost_nano_usd`, `input_tokens` + `output_tokens` FROM `runs`;
--> statement-breakpoint
DROP TABLE `runs`;
--> statement-breakpoint
ALTER TABLE `new_runs` RENAME TO `runs`;
--> statement-breakpoint
CREATE INDEX `runs_by_due_at` ON `runs` (`due_at`) WHERE due_at IS NOT NULL;
--> statement-breakpoint
CREATE INDEX `runs_by_state` ON `runs` (`state`,`id`);
--> statement-breakpoint
CREATE INDEX `runs_by_workflow` ON `runs` (`workflow_id`,`state`,`id`);
--> statement-breakpoint
CREATE UNIQUE INDEX `runs_by_reversed_id` ON `runs` (`reversed_id`);
--> statement-breakpoint
CREATE INDEX `runs_by_origin` ON `runs` (`origin_run_id`,`id`) WHERE origin_run_id IS NOT NULL;
--> statement-breakpoint
CREATE INDEX `runs_by_root` ON `runs` (`root_id`,`due_at`) WHERE depth > 0 AND due_at IS NOT NULL;
--> statement-breakpoint
-- Runs went along a chain of nodes: a step led to the one that began after it, or to END. Where several
-- nodes of an unfinished run are still to come `next` stays null: the only edge of its node is meant.
-- Where each attempt ended in the log, read in one pass; one that was stopped ended with its run.
CREATE TABLE `step_ends` (`run_id` text, `key` text, `attempt` integer, `seq` integer, PRIMARY KEY(`run_id`, `key`, `attempt`)) WITHOUT ROWID;
--> statement-breakpoint
INSERT OR REPLACE INTO `step_ends`
SELECT `run_id`, json_extract(`data`, '$.step'), json_extract(`data`, '$.attempt'), `seq` FROM `events`
WHERE `type` IN ('step.succeeded', 'step.failed');
--> statement-breakpoint
CREATE TABLE `new_steps` (
	`run_id` text NOT NULL,
	`key` text NOT NULL,
	`attempt` integer NOT NULL,
	`node_id` text NOT NULL,
	`state` text NOT NULL,
	`epoch` integer NOT NULL,
	`seq` integer NOT NULL,
	`ended_seq` integer,
	`recovery_count` integer DEFAULT 0 NOT NULL,
	`started_at` integer NOT NULL,
	`finished_at` integer,
	`retry_at` integer,
	`asked_at` integer,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cache_read_tokens` integer DEFAULT 0 NOT NULL,
	`cache_write_tokens` integer DEFAULT 0 NOT NULL,
	`reasoning_tokens` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer DEFAULT 0 NOT NULL,
	`unpriced_count` integer DEFAULT 0 NOT NULL,
	`wait` text,
	`next` text,
	`error` text,
	`patch` text,
	`input` text NOT NULL,
	PRIMARY KEY(`run_id`, `key`, `attempt`),
	FOREIGN KEY (`run_id`) REFERENCES `runs`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
INSERT INTO `new_steps` (`run_id`, `key`, `attempt`, `node_id`, `state`, `epoch`, `seq`, `recovery_count`, `started_at`, `finished_at`, `retry_at`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `cache_write_tokens`, `reasoning_tokens`, `cost_nano_usd`, `unpriced_count`, `error`, `patch`, `input`, `ended_seq`, `next`)
SELECT `run_id`, `key`, `attempt`, `node_id`, `state`, `epoch`, `seq`, `recovery_count`, `started_at`, `finished_at`, `retry_at`, `input_tokens`, `output_tokens`, `cache_read_tokens`, `cache_write_tokens`, `reasoning_tokens`, `cost_nano_usd`, `unpriced_count`, `error`, `patch`, `input`,
	CASE WHEN `state` <> 'running' THEN coalesce(
		(SELECT `seq` FROM `step_ends` WHERE `run_id` = `steps`.`run_id` AND `key` = `steps`.`key` AND `attempt` = `steps`.`attempt`),
		(SELECT max(`seq`) FROM `events` WHERE `run_id` = `steps`.`run_id`)
	) END,
	CASE WHEN `state` = 'succeeded' THEN coalesce(
		(SELECT json_array(`later`.`node_id`) FROM `steps` AS `later` WHERE `later`.`run_id` = `steps`.`run_id` AND `later`.`seq` > `steps`.`seq` AND `later`.`node_id` <> `steps`.`node_id` ORDER BY `later`.`seq` LIMIT 1),
		(SELECT json_array('END') FROM `runs` WHERE `id` = `steps`.`run_id` AND `runs`.`state` = 'succeeded'),
		(SELECT CASE count(*) WHEN 1 THEN json_array(min(`value`)) END FROM `runs`, json_each(`runs`.`node_ids`) WHERE `runs`.`id` = `steps`.`run_id` AND `value` NOT IN (SELECT `node_id` FROM `steps` AS `begun` WHERE `begun`.`run_id` = `runs`.`id`))
	) END
FROM `steps`;
--> statement-breakpoint
DROP TABLE `step_ends`;
--> statement-breakpoint
DROP TABLE `steps`;
--> statement-breakpoint
ALTER TABLE `new_steps` RENAME TO `steps`;
--> statement-breakpoint
CREATE INDEX `steps_by_asked_at` ON `steps` (`asked_at`,`run_id`,`key`) WHERE asked_at IS NOT NULL;
--> statement-breakpoint
CREATE INDEX `steps_asked_by_run` ON `steps` (`run_id`,`asked_at`) WHERE asked_at IS NOT NULL;
