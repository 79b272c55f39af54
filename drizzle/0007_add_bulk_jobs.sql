CREATE TABLE `bulk_items` (
	`job_id` text NOT NULL,
	`position` integer NOT NULL,
	`state` text NOT NULL,
	`run_id` text NOT NULL,
	`changed_run_id` text,
	`message` text,
	`fix` text,
	PRIMARY KEY(`job_id`, `position`),
	FOREIGN KEY (`job_id`) REFERENCES `bulk_jobs`(`id`) ON UPDATE no action ON DELETE cascade
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `bulk_jobs` (
	`id` text PRIMARY KEY NOT NULL,
	`action` text NOT NULL,
	`state` text NOT NULL,
	`created_at` integer NOT NULL,
	`count` integer NOT NULL,
	`is_more` integer NOT NULL,
	`done_count` integer DEFAULT 0 NOT NULL,
	`refused_count` integer DEFAULT 0 NOT NULL,
	`undone_by` text
);
