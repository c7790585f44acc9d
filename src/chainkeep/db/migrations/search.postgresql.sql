-- What is written waits in a list and goes into the index in portions; a search has to read the list, so it is short.
-- The extension may be in any schema, and was perhaps made by somebody with more rights.
DO $$ DECLARE home TEXT; BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    SELECT pg_namespace.nspname INTO STRICT home
    FROM pg_catalog.pg_extension
    JOIN pg_catalog.pg_namespace ON pg_namespace.oid = pg_extension.extnamespace
    WHERE pg_extension.extname = 'pg_trgm';
    EXECUTE format(
        'CREATE INDEX IF NOT EXISTS search_texts_trigram_idx ON search_texts '
        'USING gin ("owner" %1$I.gin_trgm_ops, "text" %1$I.gin_trgm_ops) WITH (gin_pending_list_limit = 512)',
        home
    ); END $$;
