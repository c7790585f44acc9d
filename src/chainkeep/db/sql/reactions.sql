-- name: reaction_add :exec
-- Notes that somebody reacts so to a message that is there; nothing where they did before, unless it was this very
-- write. Carried by the primary keys.
INSERT INTO reactions ("stepId", "emoji", "userId", "createdAt", "position")
SELECT
    steps."id",
    CAST(:emoji AS TEXT),
    CAST(:user_id AS TEXT),
    CAST(:created_at AS TEXT),
    CAST(:position AS BIGINT)
FROM steps
WHERE steps."id" = :step_id
    AND steps."threadId" = :thread_id
    AND steps."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
    AND steps."deletedAt" IS NULL
ON CONFLICT ("stepId", "emoji", "userId") DO UPDATE SET
    "createdAt" = excluded."createdAt"
WHERE reactions."position" = excluded."position"
    AND reactions."createdAt" = excluded."createdAt";

-- name: reaction_remove :exec
-- Takes a reaction to a message back that is there. Carried by the primary keys.
DELETE FROM reactions
WHERE "stepId" = :step_id
    AND "emoji" = :emoji
    AND "userId" = :user_id
    AND EXISTS (
        SELECT 1
        FROM steps
        JOIN threads ON threads."id" = steps."threadId"
        WHERE steps."id" = :step_id
            AND steps."threadId" = :thread_id
            AND steps."deletedAt" IS NULL
            AND threads."deletedAt" IS NULL
    );

-- name: reactions_of_message :many
-- The reactions to a message that is there, in the order in which they came. Carried by the primary keys.
SELECT reactions."emoji" AS emoji, reactions."userId" AS user_id
FROM reactions
JOIN steps ON steps."id" = reactions."stepId"
JOIN threads ON threads."id" = steps."threadId"
WHERE reactions."stepId" = :step_id
    AND steps."threadId" = :thread_id
    AND steps."deletedAt" IS NULL
    AND threads."deletedAt" IS NULL
ORDER BY reactions."createdAt", reactions."position";

-- name: steps_clear_reactions :exec
-- Removes the reactions to the steps. Carried by the primary key.
-- expands: ids
DELETE FROM reactions
WHERE "stepId" IN :ids;

-- name: vote_of_message :one
-- The step that a vote on a message is kept with: the message where it has one, else the nearest run above it, else the
-- message; with the vote that is there. Carried by the primary keys and feedbacks_for_key.
WITH RECURSIVE ancestor AS (
    SELECT steps."parentId" AS id, 1 AS level
    FROM steps
    WHERE steps."id" = :id
        AND steps."parentId" IS NOT NULL
    UNION ALL
    SELECT above."parentId", ancestor.level + 1
    FROM ancestor
    JOIN steps AS above ON above."id" = ancestor.id AND above."deletedAt" IS NULL
    WHERE above."parentId" IS NOT NULL
        AND above."type" NOT IN ('user_message', 'run')
        AND ancestor.level < 9
)
SELECT
    CASE WHEN own."id" IS NULL THEN COALESCE(runs."id", steps."id") ELSE steps."id" END AS step_id,
    COALESCE(own."id", theirs."id") AS feedback_id,
    COALESCE(own."value", theirs."value") AS feedback_value
FROM steps
JOIN threads ON threads."id" = steps."threadId"
LEFT JOIN ancestor ON TRUE
LEFT JOIN steps AS runs ON runs."id" = ancestor.id AND runs."type" = 'run' AND runs."deletedAt" IS NULL
LEFT JOIN feedbacks AS own ON own."forId" = steps."id"
LEFT JOIN feedbacks AS theirs ON theirs."forId" = runs."id"
WHERE steps."id" = :id
    AND steps."threadId" = :thread_id
    AND steps."deletedAt" IS NULL
    AND threads."deletedAt" IS NULL
ORDER BY CASE WHEN runs."id" IS NULL THEN 1 ELSE 0 END, ancestor.level
LIMIT 1;
