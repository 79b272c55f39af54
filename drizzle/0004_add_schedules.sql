CREATE TABLE `schedules` (
	`id` text PRIMARY KEY NOT NULL,
	`workflow_id` text NOT NULL,
	`next_at` integer,
	`starting_run_id` text,
	`cron` text NOT NULL,
	`time_zone` text NOT NULL,
	`overlap` text NOT NULL,
	`catch_up` integer NOT NULL,
	`last_at` integer,
	`last_outcome` text,
	`last_run_id` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`last_error` text,
	`overrides` text NOT NULL,
	`inputs` text NOT NULL,
	FOREIGN KEY (`workflow_id`) REFERENCES `workflows`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `schedules_by_next_at` ON `schedules` (`next_at`) WHERE next_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `schedules_by_workflow` ON `schedules` (`workflow_id`);