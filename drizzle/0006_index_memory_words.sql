-- By hand: drizzle has no word for virtual tables. The same index with the beginnings of words, which a search asks for.
DROP TABLE `memory_words`;
--> statement-breakpoint
CREATE VIRTUAL TABLE `memory_words` USING fts5 (namespace, key, value, content='memories', content_rowid='number', prefix='1 2 3 4 6 9', tokenize='unicode61 remove_diacritics 2');
--> statement-breakpoint
INSERT INTO memory_words (memory_words) VALUES ('rebuild');
