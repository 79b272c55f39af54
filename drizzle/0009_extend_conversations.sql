CREATE TABLE `conversation_calls` (
	`conversation_id` text NOT NULL,
	`ordinal` integer NOT NULL,
	`number` integer NOT NULL,
	`call_id` text NOT NULL,
	`tool` text NOT NULL,
	`arguments` text NOT NULL,
	`state` text NOT NULL,
	`result` text,
	`link` text,
	PRIMARY KEY(`conversation_id`, `ordinal`, `number`),
	FOREIGN KEY (`conversation_id`) REFERENCES `conversations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `conversation_files` (
	`conversation_id` text NOT NULL,
	`ordinal` integer NOT NULL,
	`number` integer NOT NULL,
	`name` text NOT NULL,
	`media_type` text NOT NULL,
	`hash` text NOT NULL,
	`byte_count` integer NOT NULL,
	`data` blob NOT NULL,
	PRIMARY KEY(`conversation_id`, `ordinal`, `number`),
	FOREIGN KEY (`conversation_id`) REFERENCES `conversations`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
ALTER TABLE `conversation_messages` ADD `parent` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `conversation_messages` ADD `thoughts` text;--> statement-breakpoint
CREATE INDEX `conversation_messages_by_parent` ON `conversation_messages` (`conversation_id`,`parent`);--> statement-breakpoint
ALTER TABLE `conversations` ADD `head` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `conversations` ADD `branch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `conversations` ADD `model` text;--> statement-breakpoint
-- By hand: until now each message followed the one before it.
UPDATE `conversation_messages` SET `parent` = `ordinal` - 1;
--> statement-breakpoint
UPDATE `conversations` SET `head` = `message_count`;
--> statement-breakpoint
-- By hand: drizzle has no word for virtual tables. The words of titles and of what people wrote, by the row of the message.
CREATE VIRTUAL TABLE `conversation_words` USING fts5 (words, content='', contentless_delete=1, prefix='1 2 3 4 6 9', tokenize='unicode61 remove_diacritics 2');
--> statement-breakpoint
INSERT INTO conversation_words (rowid, words) SELECT m.rowid, CASE m.ordinal WHEN 1 THEN c.title || char(10) || m.text ELSE m.text END
FROM conversation_messages AS m JOIN conversations AS c ON c.id = m.conversation_id WHERE m.role = 'person';
--> statement-breakpoint
CREATE TRIGGER `conversation_messages_removed` AFTER DELETE ON `conversation_messages` BEGIN
  DELETE FROM conversation_words WHERE rowid = old.rowid;
END;
