-- name: search_index_state :one
-- Whether there is a trigram index; it indexes every character. SQLite's is a virtual table of a module that may be
-- missing. Carried by SQLite's own tables.
SELECT
    EXISTS (SELECT 1 FROM sqlite_master WHERE sqlite_master.name = 'search_index')
    AND EXISTS (SELECT 1 FROM pragma_module_list WHERE pragma_module_list.name = 'fts5') AS ready,
    TRUE AS letters,
    TRUE AS signs;

-- name: search_lock_steps :many
-- What these steps say now, as search_next_steps gives it, and whose they are. SQLite has locked all
-- there is. Carried by the primary keys.
-- expands: ids
SELECT
    steps."id" AS id,
    CASE WHEN steps."deletedAt" IS NULL AND NOT steps."private" THEN steps."output" ELSE '' END AS text,
    COALESCE(threads."userId", '') AS user_id
FROM steps
LEFT JOIN threads ON threads."id" = steps."threadId"
WHERE steps."id" IN :ids;

-- name: search_lock_threads :many
-- How many changes of these threads the search index has not seen, and whose they are. SQLite has locked all
-- there is. Carried by the primary keys.
-- expands: ids
SELECT threads."id" AS id, threads."unindexed" AS unindexed, COALESCE(threads."userId", '') AS user_id
FROM threads
WHERE threads."id" IN :ids;
