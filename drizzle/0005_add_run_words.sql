-- By hand, beside the index: drizzle has no word for virtual tables and triggers. src/store/run-words.ts says what it holds.
CREATE INDEX `steps_in_order` ON `steps` (`run_id`,`seq`) WHERE substr(key, -1) <> ']';
--> statement-breakpoint
CREATE VIRTUAL TABLE `run_words` USING fts5 (words, content='', contentless_delete=1, detail='none', prefix='1 2 3 4 6 9', tokenize='unicode61 remove_diacritics 2');
--> statement-breakpoint
INSERT INTO `run_words` (rowid, words)
SELECT rowid, id || ' ' || workflow_name || ' ' || substr(coalesce((SELECT group_concat(atom, ' ') FROM json_tree(inputs) WHERE type IN ('text', 'integer', 'real')), ''), 1, 4000)
FROM `runs` ORDER BY rowid;
--> statement-breakpoint
CREATE TRIGGER `runs_removed` AFTER DELETE ON `runs` BEGIN
	DELETE FROM run_words WHERE rowid = old.rowid;
END;
