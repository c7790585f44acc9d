-- name: step_write :exec
-- Writes a step, once its thread is there and not deleted: a new row whole, and of one that is there the columns that
-- `given` is the sum of (1 for parentId, 2 for type, 4 for name, and so on in their order), or all of them where this
-- is the step's creation and no update came before. So a create never undoes an update. Never brings a deleted step
-- back, never takes one out of another thread. Carried by the primary keys.
INSERT INTO steps (
    "id",
    "threadId",
    "parentId",
    "type",
    "name",
    "input",
    "output",
    "createdAt",
    "start",
    "end",
    "command",
    "modes",
    "language",
    "streaming",
    "waitForAnswer",
    "isError",
    "showInput",
    "defaultOpen",
    "autoCollapse",
    "metadata",
    "tags",
    "generation",
    "extra",
    "favorite",
    "position",
    "revision"
)
SELECT
    CAST(:id AS TEXT),
    CAST(:thread_id AS TEXT),
    CAST(:parent_id AS TEXT),
    CAST(:type AS TEXT),
    CAST(:name AS TEXT),
    CAST(:input AS TEXT),
    CAST(:output AS TEXT),
    CAST(:created_at AS TEXT),
    CAST(:start AS TEXT),
    CAST(:end AS TEXT),
    CAST(:command AS TEXT),
    CAST(:modes AS TEXT),
    CAST(:language AS TEXT),
    CAST(:streaming AS BOOLEAN),
    CAST(:wait_for_answer AS BOOLEAN),
    CAST(:is_error AS BOOLEAN),
    CAST(:show_input AS TEXT),
    CAST(:default_open AS BOOLEAN),
    CAST(:auto_collapse AS BOOLEAN),
    CAST(:metadata AS TEXT),
    CAST(:tags AS TEXT),
    CAST(:generation AS TEXT),
    CAST(:extra AS TEXT),
    CAST(:favorite AS BOOLEAN),
    CAST(:position AS BIGINT),
    CAST(:updates AS BIGINT)
FROM threads
WHERE threads."id" = CAST(:thread_id AS TEXT)
    AND threads."deletedAt" IS NULL
ON CONFLICT ("id") DO UPDATE SET
    "parentId" = CASE
        WHEN (CAST(:given AS BIGINT) & 1) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."parentId"
        ELSE steps."parentId"
    END,
    "type" = CASE
        WHEN (CAST(:given AS BIGINT) & 2) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."type"
        ELSE steps."type"
    END,
    "name" = CASE
        WHEN (CAST(:given AS BIGINT) & 4) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."name"
        ELSE steps."name"
    END,
    "input" = CASE
        WHEN (CAST(:given AS BIGINT) & 8) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."input"
        ELSE steps."input"
    END,
    "output" = CASE
        WHEN (CAST(:given AS BIGINT) & 16) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."output"
        ELSE steps."output"
    END,
    "createdAt" = CASE
        WHEN (CAST(:given AS BIGINT) & 32) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."createdAt"
        ELSE steps."createdAt"
    END,
    "start" = CASE
        WHEN (CAST(:given AS BIGINT) & 64) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."start"
        ELSE steps."start"
    END,
    "end" = CASE
        WHEN (CAST(:given AS BIGINT) & 128) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."end"
        ELSE steps."end"
    END,
    "command" = CASE
        WHEN (CAST(:given AS BIGINT) & 256) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."command"
        ELSE steps."command"
    END,
    "modes" = CASE
        WHEN (CAST(:given AS BIGINT) & 512) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."modes"
        ELSE steps."modes"
    END,
    "language" = CASE
        WHEN (CAST(:given AS BIGINT) & 1024) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."language"
        ELSE steps."language"
    END,
    "streaming" = CASE
        WHEN (CAST(:given AS BIGINT) & 2048) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."streaming"
        ELSE steps."streaming"
    END,
    "waitForAnswer" = CASE
        WHEN (CAST(:given AS BIGINT) & 4096) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."waitForAnswer"
        ELSE steps."waitForAnswer"
    END,
    "isError" = CASE
        WHEN (CAST(:given AS BIGINT) & 8192) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."isError"
        ELSE steps."isError"
    END,
    "showInput" = CASE
        WHEN (CAST(:given AS BIGINT) & 16384) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."showInput"
        ELSE steps."showInput"
    END,
    "defaultOpen" = CASE
        WHEN (CAST(:given AS BIGINT) & 32768) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."defaultOpen"
        ELSE steps."defaultOpen"
    END,
    "autoCollapse" = CASE
        WHEN (CAST(:given AS BIGINT) & 65536) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."autoCollapse"
        ELSE steps."autoCollapse"
    END,
    "metadata" = CASE
        WHEN (CAST(:given AS BIGINT) & 131072) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."metadata"
        ELSE steps."metadata"
    END,
    "tags" = CASE
        WHEN (CAST(:given AS BIGINT) & 262144) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."tags"
        ELSE steps."tags"
    END,
    "generation" = CASE
        WHEN (CAST(:given AS BIGINT) & 524288) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."generation"
        ELSE steps."generation"
    END,
    "extra" = CASE
        WHEN (CAST(:given AS BIGINT) & 1048576) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."extra"
        ELSE steps."extra"
    END,
    "favorite" = CASE
        WHEN (CAST(:given AS BIGINT) & 131072) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            THEN excluded."favorite"
        ELSE steps."favorite"
    END,
    "unindexed" = CASE
        WHEN steps."unindexed" = 0
            AND (
                (CAST(:given AS BIGINT) & 16) <> 0
                OR (CAST(:given AS BIGINT) & 2) <> 0
                OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
            )
            THEN 1
        ELSE steps."unindexed"
    END,
    "revision" = steps."revision" + excluded."revision"
WHERE steps."threadId" = excluded."threadId"
    AND steps."deletedAt" IS NULL;

-- name: steps_known :many
-- Where these steps are, deleted ones too, and their keys without a column. Carried by the primary key.
-- expands: ids
SELECT
    steps."id" AS id,
    steps."threadId" AS thread_id,
    steps."extra" AS extra,
    steps."revision" AS revision,
    steps."deletedAt" AS deleted_at
FROM steps
WHERE steps."id" IN :ids;

-- name: step_get :one
-- A step with its feedback, a deleted one too. Carried by the primary key and feedbacks_for_key.
SELECT
    steps."id" AS id,
    steps."threadId" AS thread_id,
    steps."parentId" AS parent_id,
    steps."type" AS type,
    steps."name" AS name,
    steps."input" AS input,
    steps."output" AS output,
    steps."createdAt" AS created_at,
    steps."start" AS start,
    steps."end" AS end,
    steps."command" AS command,
    steps."modes" AS modes,
    steps."language" AS language,
    steps."streaming" AS streaming,
    steps."waitForAnswer" AS wait_for_answer,
    steps."isError" AS is_error,
    steps."showInput" AS show_input,
    steps."defaultOpen" AS default_open,
    steps."autoCollapse" AS auto_collapse,
    steps."metadata" AS metadata,
    steps."tags" AS tags,
    steps."generation" AS generation,
    steps."extra" AS extra,
    steps."deletedAt" AS deleted_at,
    feedbacks."id" AS feedback_id,
    feedbacks."value" AS feedback_value,
    feedbacks."comment" AS feedback_comment
FROM steps
LEFT JOIN feedbacks ON feedbacks."forId" = steps."id"
WHERE steps."id" = :id;

-- name: steps_favorite :many
-- The steps that were starred in a user's threads, newest first; no other thread is looked at. Carried by
-- threads_starred_idx and steps_favorite_idx.
SELECT
    steps."id" AS id,
    steps."threadId" AS thread_id,
    steps."parentId" AS parent_id,
    steps."type" AS type,
    steps."name" AS name,
    steps."input" AS input,
    steps."output" AS output,
    steps."createdAt" AS created_at,
    steps."start" AS start,
    steps."end" AS end,
    steps."command" AS command,
    steps."modes" AS modes,
    steps."language" AS language,
    steps."streaming" AS streaming,
    steps."waitForAnswer" AS wait_for_answer,
    steps."isError" AS is_error,
    steps."showInput" AS show_input,
    steps."defaultOpen" AS default_open,
    steps."autoCollapse" AS auto_collapse,
    steps."metadata" AS metadata,
    steps."tags" AS tags,
    steps."generation" AS generation,
    steps."extra" AS extra,
    steps."deletedAt" AS deleted_at,
    feedbacks."id" AS feedback_id,
    feedbacks."value" AS feedback_value,
    feedbacks."comment" AS feedback_comment
FROM threads
JOIN steps ON steps."threadId" = threads."id"
LEFT JOIN feedbacks ON feedbacks."forId" = steps."id"
WHERE threads."userId" = :user_id
    AND threads."starred"
    AND threads."deletedAt" IS NULL
    AND steps."favorite"
    AND NOT steps."private"
    AND steps."deletedAt" IS NULL
ORDER BY steps."createdAt" DESC, steps."id" DESC;

-- name: step_set_metadata :exec
-- Replaces a step's metadata and star, and nothing else. Carried by the primary key.
UPDATE steps SET
    "metadata" = :metadata,
    "favorite" = :favorite,
    "revision" = "revision" + 1
WHERE "id" = :id
    AND "deletedAt" IS NULL;

-- name: step_author :one
-- The identifier of the owner of the thread that a step belongs to. Carried by the primary keys.
SELECT COALESCE(users."identifier", threads."userIdentifier") AS user_identifier
FROM steps
JOIN threads ON threads."id" = steps."threadId"
LEFT JOIN users ON users."id" = threads."userId"
WHERE steps."id" = :id;

-- name: step_tree :many
-- A step and all that hangs below it, within its thread, whose steps are read once. Carried by the primary key and
-- steps_thread_created_idx.
WITH RECURSIVE family AS MATERIALIZED (
    SELECT steps."id", steps."parentId"
    FROM steps
    WHERE steps."threadId" = (SELECT top."threadId" FROM steps AS top WHERE top."id" = :id)
),
tree ("id") AS (
    SELECT family."id"
    FROM family
    WHERE family."id" = :id
    UNION
    SELECT family."id"
    FROM tree
    JOIN family ON family."parentId" = tree."id"
)
SELECT tree."id" AS id
FROM tree;

-- name: steps_delete :exec
-- Empties the steps and leaves them as tombstones. Carried by the primary key.
-- expands: ids
UPDATE steps SET
    "name" = '',
    "input" = '',
    "output" = '',
    "command" = NULL,
    "modes" = NULL,
    "metadata" = '{}',
    "tags" = NULL,
    "generation" = NULL,
    "extra" = NULL,
    "favorite" = FALSE,
    "role" = NULL,
    "ext" = NULL,
    "unindexed" = "unindexed" + 1,
    "deletedAt" = :deleted_at
WHERE "id" IN :ids
    AND "deletedAt" IS NULL;

-- name: steps_clear_feedbacks :exec
-- Removes the votes on the steps. Carried by feedbacks_for_key.
-- expands: ids
DELETE FROM feedbacks
WHERE "forId" IN :ids;

-- name: step_bury :exec
-- Leaves a tombstone for a step that was never written, so that a create that comes late finds it. Carried by the
-- primary key.
INSERT INTO steps (
    "id", "threadId", "type", "name", "input", "output", "createdAt", "streaming", "metadata", "favorite", "position",
    "revision", "deletedAt"
)
VALUES (:id, :thread_id, 'undefined', '', '', '', :deleted_at, FALSE, '{}', FALSE, :position, 0, :deleted_at)
ON CONFLICT ("id") DO NOTHING;
