-- The new tables' indexes need the names that the old ones have; a constraint follows its index.
DO $$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT indexname AS name
        FROM pg_indexes
        WHERE schemaname = current_schema()
            AND tablename IN ('users', 'threads', 'steps', 'elements', 'feedbacks')
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', old.name, left('chainlit_' || old.name, 63));
    END LOOP;
END
$$;
