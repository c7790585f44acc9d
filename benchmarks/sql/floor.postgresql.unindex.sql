-- Without the floor's trigrams, which PostgreSQL keeps in step within each write; chainkeep does that afterwards.
DROP INDEX IF EXISTS floor_texts;
