-- name: element_upsert :exec
-- Writes the element, all of it, unless its thread is deleted; attributes and status stay where none are given, as the
-- UI knows of none. It never takes an element out of another thread, and brings a deleted one back only where the caller
-- says that it was sent again. Carried by the primary keys.
INSERT INTO elements (
    "id",
    "threadId",
    "forId",
    "type",
    "name",
    "display",
    "url",
    "objectKey",
    "chainlitKey",
    "mime",
    "size",
    "language",
    "page",
    "props",
    "autoPlay",
    "playerConfig",
    "extra",
    "createdAt",
    "position",
    "attributes",
    "status"
)
SELECT
    CAST(:id AS TEXT),
    CAST(:thread_id AS TEXT),
    CAST(:for_id AS TEXT),
    CAST(:type AS TEXT),
    CAST(:name AS TEXT),
    CAST(:display AS TEXT),
    CAST(:url AS TEXT),
    CAST(:object_key AS TEXT),
    CAST(:chainlit_key AS TEXT),
    CAST(:mime AS TEXT),
    CAST(:size AS TEXT),
    CAST(:language AS TEXT),
    CAST(:page AS INTEGER),
    CAST(:props AS TEXT),
    CAST(:auto_play AS BOOLEAN),
    CAST(:player_config AS TEXT),
    CAST(:extra AS TEXT),
    CAST(:created_at AS TEXT),
    CAST(:position AS BIGINT),
    CAST(:attributes AS TEXT),
    CAST(:status AS TEXT)
WHERE NOT EXISTS (
    SELECT 1
    FROM threads
    WHERE threads."id" = CAST(:thread_id AS TEXT)
        AND threads."deletedAt" IS NOT NULL
)
ON CONFLICT ("id") DO UPDATE SET
    "threadId" = excluded."threadId",
    "forId" = excluded."forId",
    "type" = excluded."type",
    "name" = excluded."name",
    "display" = excluded."display",
    "url" = excluded."url",
    "objectKey" = excluded."objectKey",
    "chainlitKey" = excluded."chainlitKey",
    "mime" = excluded."mime",
    "size" = excluded."size",
    "language" = excluded."language",
    "page" = excluded."page",
    "props" = excluded."props",
    "autoPlay" = excluded."autoPlay",
    "playerConfig" = excluded."playerConfig",
    "extra" = excluded."extra",
    "deletedAt" = NULL,
    "attributes" = COALESCE(excluded."attributes", elements."attributes"),
    "status" = COALESCE(excluded."status", elements."status")
WHERE (elements."threadId" = excluded."threadId" OR elements."threadId" IS NULL)
    AND (elements."deletedAt" IS NULL OR CAST(:revive AS BOOLEAN));

-- name: element_get :one
-- An element that is not deleted; of that thread, where one is named. Carried by the primary key.
SELECT
    elements."id" AS id,
    elements."threadId" AS thread_id,
    elements."forId" AS for_id,
    elements."type" AS type,
    elements."name" AS name,
    elements."display" AS display,
    elements."url" AS url,
    elements."objectKey" AS object_key,
    elements."chainlitKey" AS chainlit_key,
    elements."mime" AS mime,
    elements."size" AS size,
    elements."language" AS language,
    elements."page" AS page,
    elements."props" AS props,
    elements."autoPlay" AS auto_play,
    elements."playerConfig" AS player_config,
    elements."extra" AS extra,
    elements."attributes" AS attributes,
    elements."status" AS status
FROM elements
WHERE elements."id" = :id
    AND (CAST(:thread_id AS TEXT) IS NULL OR elements."threadId" = CAST(:thread_id AS TEXT))
    AND elements."deletedAt" IS NULL;

-- name: elements_of_thread :many
-- A thread's elements in the order in which they were handed over. Carried by elements_thread_idx.
SELECT
    elements."id" AS id,
    elements."threadId" AS thread_id,
    elements."forId" AS for_id,
    elements."type" AS type,
    elements."name" AS name,
    elements."display" AS display,
    elements."url" AS url,
    elements."objectKey" AS object_key,
    elements."chainlitKey" AS chainlit_key,
    elements."mime" AS mime,
    elements."size" AS size,
    elements."language" AS language,
    elements."page" AS page,
    elements."props" AS props,
    elements."autoPlay" AS auto_play,
    elements."playerConfig" AS player_config,
    elements."extra" AS extra,
    elements."attributes" AS attributes,
    elements."status" AS status
FROM elements
WHERE elements."threadId" = :thread_id
    AND elements."deletedAt" IS NULL
ORDER BY elements."position", elements."id";

-- name: elements_of_steps :many
-- The elements that belong to some steps. Carried by elements_for_idx.
-- expands: ids
SELECT
    elements."id" AS id,
    elements."threadId" AS thread_id,
    elements."forId" AS for_id,
    elements."type" AS type,
    elements."name" AS name,
    elements."display" AS display,
    elements."url" AS url,
    elements."objectKey" AS object_key,
    elements."chainlitKey" AS chainlit_key,
    elements."mime" AS mime,
    elements."size" AS size,
    elements."language" AS language,
    elements."page" AS page,
    elements."props" AS props,
    elements."autoPlay" AS auto_play,
    elements."playerConfig" AS player_config,
    elements."extra" AS extra,
    elements."attributes" AS attributes,
    elements."status" AS status
FROM elements
WHERE elements."forId" IN :ids
    AND elements."deletedAt" IS NULL
ORDER BY elements."position", elements."id";

-- name: elements_delete :exec
-- Empties the elements and leaves them as tombstones. Carried by the primary key.
-- expands: ids
UPDATE elements SET
    "name" = '',
    "url" = NULL,
    "objectKey" = NULL,
    "chainlitKey" = NULL,
    "props" = NULL,
    "playerConfig" = NULL,
    "extra" = NULL,
    "deletedAt" = :deleted_at,
    "attributes" = NULL,
    "status" = NULL
WHERE "id" IN :ids
    AND "deletedAt" IS NULL;

-- name: element_bury :exec
-- Leaves a tombstone for an element that was never written, so that a create that comes late finds it. Carried by the
-- primary key.
INSERT INTO elements ("id", "threadId", "type", "name", "display", "createdAt", "position", "deletedAt")
VALUES (:id, :thread_id, 'file', '', 'inline', :deleted_at, :position, :deleted_at)
ON CONFLICT ("id") DO NOTHING;
