CREATE TABLE `conversation_messages` (
	`conversation_id` text NOT NULL,
	`ordinal` integer NOT NULL,
	`created_at` integer NOT NULL,
	`role` text NOT NULL,
	`state` text DEFAULT 'done' NOT NULL,
	`round` integer DEFAULT 0 NOT NULL,
	`provider` text,
	`model` text,
	`omitted_count` integer DEFAULT 0 NOT NULL,
	`finish` text,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`cache_read_tokens` integer DEFAULT 0 NOT NULL,
	`cache_write_tokens` integer DEFAULT 0 NOT NULL,
	`reasoning_tokens` integer DEFAULT 0 NOT NULL,
	`cost_nano_usd` integer,
	`finished_at` integer,
	`error` text,
	`text` text NOT NULL,
	PRIMARY KEY(`conversation_id`, `ordinal`),
	FOREIGN KEY (`conversation_id`) REFERENCES `conversations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `conversations` (
	`id` text PRIMARY KEY NOT NULL,
	`title` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`message_count` integer NOT NULL,
	`is_answering` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `conversations_by_updated_at` ON `conversations` (`updated_at`,`id`);--> statement-breakpoint
CREATE INDEX `conversations_by_answering` ON `conversations` (`id`) WHERE is_answering = 1;