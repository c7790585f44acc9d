-- name: feedback_upsert :one
-- Writes the one feedback of a step; a second vote replaces the first and keeps its id. Where no thread is named it is
-- the step's. Carried by feedbacks_for_key.
INSERT INTO feedbacks ("id", "forId", "threadId", "value", "comment", "createdAt", "updatedAt")
VALUES (
    :id,
    :for_id,
    COALESCE((SELECT steps."threadId" FROM steps WHERE steps."id" = CAST(:for_id AS TEXT)), CAST(:thread_id AS TEXT)),
    :value,
    :comment,
    :now,
    :now
)
ON CONFLICT ("forId") DO UPDATE SET
    "threadId" = excluded."threadId",
    "value" = excluded."value",
    "comment" = excluded."comment",
    "updatedAt" = excluded."updatedAt"
RETURNING "id" AS id;

-- name: feedback_owner :one
-- Who owns the thread that a step, or an existing feedback, belongs to; null for nobody yet. Carried by the primary
-- keys.
SELECT
    threads."id" AS thread_id,
    COALESCE(users."identifier", threads."userIdentifier") AS user_identifier
FROM (
    SELECT steps."threadId" AS thread_id
    FROM steps
    WHERE steps."id" = CAST(:for_id AS TEXT)
    UNION ALL
    SELECT COALESCE(steps."threadId", feedbacks."threadId") AS thread_id
    FROM feedbacks
    LEFT JOIN steps ON steps."id" = feedbacks."forId"
    WHERE feedbacks."id" = CAST(:feedback_id AS TEXT)
) AS subject
JOIN threads ON threads."id" = subject.thread_id
LEFT JOIN users ON users."id" = threads."userId"
LIMIT 1;

-- name: feedback_delete :exec
-- Takes a vote back. Carried by the primary key.
DELETE FROM feedbacks
WHERE "id" = :id;
