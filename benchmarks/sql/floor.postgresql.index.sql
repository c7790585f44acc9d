-- The floor's trigrams, all at once.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE INDEX floor_texts ON steps USING gin (LOWER("output") gin_trgm_ops);
