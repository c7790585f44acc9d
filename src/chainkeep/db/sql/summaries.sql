-- name: summary_upsert :exec
-- Writes the one summary of a message that is there; what it was summarized as earlier stays where nothing is given.
-- Carried by the primary keys.
INSERT INTO message_summaries ("stepId", "threadId", "summary", "createdAt", "updatedAt", "earlier")
SELECT
    steps."id",
    steps."threadId",
    CAST(:summary AS TEXT),
    CAST(:now AS TEXT),
    CAST(:now AS TEXT),
    CAST(:earlier AS TEXT)
FROM steps
WHERE steps."id" = :step_id
    AND steps."threadId" = :thread_id
    AND steps."deletedAt" IS NULL
ON CONFLICT ("stepId") DO UPDATE SET
    "summary" = excluded."summary",
    "updatedAt" = excluded."updatedAt",
    "earlier" = COALESCE(excluded."earlier", message_summaries."earlier");

-- name: summary_of_message :one
-- A message's summary, and what it was summarized as earlier, where its thread is not deleted. Carried by the primary
-- keys.
SELECT message_summaries."summary" AS summary, message_summaries."earlier" AS earlier
FROM message_summaries
JOIN threads ON threads."id" = message_summaries."threadId"
WHERE message_summaries."stepId" = :step_id
    AND message_summaries."threadId" = :thread_id
    AND threads."deletedAt" IS NULL;

-- name: summaries_of_thread :many
-- The summaries of the messages of a thread that is not deleted, in the messages' order. Carried by
-- message_summaries_thread_idx and the primary keys.
SELECT message_summaries."stepId" AS step_id, message_summaries."summary" AS summary
FROM message_summaries
JOIN steps ON steps."id" = message_summaries."stepId"
JOIN threads ON threads."id" = message_summaries."threadId"
WHERE message_summaries."threadId" = :thread_id
    AND threads."deletedAt" IS NULL
ORDER BY steps."createdAt", steps."position", steps."id";

-- name: steps_clear_summaries :exec
-- Removes the summaries of the steps. Carried by the primary key.
-- expands: ids
DELETE FROM message_summaries
WHERE "stepId" IN :ids;
