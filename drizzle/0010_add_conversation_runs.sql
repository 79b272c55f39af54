ALTER TABLE `conversation_calls` ADD `approved_at` integer;--> statement-breakpoint
ALTER TABLE `conversation_calls` ADD `seen` text;--> statement-breakpoint
ALTER TABLE `conversations` ADD `run_id` text;--> statement-breakpoint
ALTER TABLE `conversations` ADD `alive_at` integer;--> statement-breakpoint
ALTER TABLE `conversations` ADD `answered_by` text;--> statement-breakpoint
ALTER TABLE `conversations` ADD `removed_at` integer;