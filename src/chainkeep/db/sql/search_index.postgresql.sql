-- name: search_index_state :one
-- Whether there is a trigram index, and whether it knows letters beyond ASCII, which the database's locale decides;
-- it never indexes signs. PostgreSQL tells by its catalog. Carried by the catalog's indexes.
SELECT
    EXISTS (
        SELECT 1
        FROM pg_catalog.pg_index
        WHERE pg_index.indexrelid = CAST(to_regclass('search_texts_trigram_idx') AS OID)
            AND pg_index.indisvalid
    ) AS ready,
    'я' ~ '\w' AS letters,
    FALSE AS signs;

-- name: search_lock_steps :many
-- What these steps say now, as search_next_steps gives it, and whose they are. PostgreSQL locks them, and leaves
-- out those that are being written, so that nobody waits for anybody. Carried by the primary keys.
-- expands: ids
SELECT
    steps."id" AS id,
    CASE WHEN steps."deletedAt" IS NULL AND NOT steps."private" THEN steps."output" ELSE '' END AS text,
    COALESCE(threads."userId", '') AS user_id
FROM steps
LEFT JOIN threads ON threads."id" = steps."threadId"
WHERE steps."id" IN :ids
FOR NO KEY UPDATE OF steps SKIP LOCKED;

-- name: search_lock_threads :many
-- How many changes of these threads the search index has not seen, and whose they are. PostgreSQL locks them, and leaves
-- out those that are being written, so that nobody waits for anybody. Carried by the primary keys.
-- expands: ids
SELECT threads."id" AS id, threads."unindexed" AS unindexed, COALESCE(threads."userId", '') AS user_id
FROM threads
WHERE threads."id" IN :ids
FOR NO KEY UPDATE OF threads SKIP LOCKED;
