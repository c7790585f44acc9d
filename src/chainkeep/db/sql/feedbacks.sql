-- name: feedback_upsert :one
-- Writes the one feedback of a step; a second vote replaces the first and keeps its id. Where no thread is named it is
-- the step's. Nothing is written, and no row returned, where the step or the thread was deleted. Carried by
-- feedbacks_for_key and the primary keys.
INSERT INTO feedbacks ("id", "forId", "threadId", "value", "comment", "createdAt", "updatedAt")
SELECT
    CAST(:id AS TEXT),
    CAST(:for_id AS TEXT),
    COALESCE((SELECT steps."threadId" FROM steps WHERE steps."id" = CAST(:for_id AS TEXT)), CAST(:thread_id AS TEXT)),
    CAST(:value AS INTEGER),
    CAST(:comment AS TEXT),
    CAST(:now AS TEXT),
    CAST(:now AS TEXT)
WHERE NOT EXISTS (
        SELECT 1
        FROM steps
        WHERE steps."id" = CAST(:for_id AS TEXT)
            AND steps."deletedAt" IS NOT NULL
    )
    AND NOT EXISTS (
        SELECT 1
        FROM threads
        WHERE threads."id" = CAST(:thread_id AS TEXT)
            AND threads."deletedAt" IS NOT NULL
    )
ON CONFLICT ("forId") DO UPDATE SET
    "threadId" = excluded."threadId",
    "value" = excluded."value",
    "comment" = excluded."comment",
    "updatedAt" = excluded."updatedAt"
RETURNING "id" AS id;

-- name: feedback_get :one
-- A vote. Carried by the primary key.
SELECT
    "id" AS feedback_id,
    "forId" AS feedback_for_id,
    "threadId" AS feedback_thread_id,
    "value" AS feedback_value,
    "comment" AS feedback_comment
FROM feedbacks
WHERE "id" = :id;

-- name: feedback_delete :exec
-- Takes a vote back. Carried by the primary key.
DELETE FROM feedbacks
WHERE "id" = :id;
