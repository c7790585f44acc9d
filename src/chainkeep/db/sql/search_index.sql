-- name: search_claim :one
-- Makes a process the one that indexes, until a time, and takes so many numbers for it; no row where another process
-- is. Holds the row to the end of the transaction, so that there is never more than one. Carried by the primary key.
UPDATE search_indexer SET
    "holder" = CAST(:holder AS TEXT),
    "until" = CAST(:until AS TEXT),
    "lastNumber" = "lastNumber" + CAST(:count AS BIGINT)
WHERE "id" = 1
    AND ("holder" = CAST(:holder AS TEXT) OR "until" < CAST(:now AS TEXT))
RETURNING "lastNumber" AS last_number;

-- name: search_waiting :one
-- How many rows the search index has not seen. Carried by threads_unindexed_idx and steps_unindexed_idx.
SELECT
    (SELECT COUNT(threads."id") FROM threads WHERE threads."unindexed" > 0)
    + (
        SELECT COUNT(steps."threadId")
        FROM steps
        WHERE steps."unindexed" > 0
            AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
    ) AS waiting;

-- name: search_next_steps :many
-- Messages that the search index has not seen, as they are now; without text where they are not to be found. Carried
-- by steps_unindexed_idx.
SELECT
    steps."id" AS id,
    steps."threadId" AS thread_id,
    CASE WHEN steps."deletedAt" IS NULL AND NOT steps."private" THEN steps."output" ELSE '' END AS text
FROM steps
WHERE steps."unindexed" > 0
    AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
    AND steps."id" <> ''
ORDER BY steps."threadId"
LIMIT :count;

-- name: search_next_threads :many
-- Threads whose title, owner or end the search index has not seen, as they are now. Carried by threads_unindexed_idx.
SELECT
    threads."id" AS thread_id,
    threads."unindexed" AS unindexed,
    COALESCE(threads."name", '') AS text,
    (threads."deletedAt" IS NOT NULL AND NOT threads."restorable") AS gone
FROM threads
WHERE threads."unindexed" > 0
ORDER BY threads."id"
LIMIT :count;

-- name: search_text_write :exec
-- Writes a folded text: a message's, or a thread's title under an empty step. Carried by the primary key.
INSERT INTO search_texts ("threadId", "stepId", "number", "owner", "text")
VALUES (:thread_id, :step_id, :number, :owner, :text)
ON CONFLICT ("threadId", "stepId") DO UPDATE SET
    "owner" = excluded."owner",
    "text" = excluded."text"
WHERE search_texts."owner" <> excluded."owner"
    OR search_texts."text" <> excluded."text";

-- name: search_text_forget :exec
-- Removes a folded text. Carried by the primary key.
DELETE FROM search_texts
WHERE "threadId" = :thread_id
    AND "stepId" = :step_id;

-- name: search_thread_forget :exec
-- Removes all folded texts of a thread. Carried by the primary key.
DELETE FROM search_texts
WHERE "threadId" = :thread_id;

-- name: search_thread_mark :exec
-- Sets whose a thread's texts are, where that has changed. Carried by the primary key.
UPDATE search_texts SET
    "owner" = :owner
WHERE "threadId" = :thread_id
    AND "owner" <> :owner;

-- name: search_steps_done :exec
-- Notes that the search index has seen these messages. Carried by the primary key.
-- expands: ids
UPDATE steps SET
    "unindexed" = 0
WHERE "id" IN :ids;

-- name: search_threads_done :exec
-- Notes that the search index has seen these threads. Carried by the primary key.
-- expands: ids
UPDATE threads SET
    "unindexed" = 0
WHERE "id" IN :ids;
