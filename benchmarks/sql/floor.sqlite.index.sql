-- The floor's trigrams, all at once.
CREATE VIRTUAL TABLE floor_texts USING fts5(output, content = 'steps', content_rowid = 'rowid', tokenize = 'trigram');

INSERT INTO floor_texts (floor_texts) VALUES ('rebuild');
