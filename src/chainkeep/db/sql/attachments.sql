-- name: attachment_insert :exec
-- Writes what goes with a message that was just written; nothing where that was done before. Carried by the primary
-- key.
INSERT INTO elements (
    "id", "threadId", "forId", "type", "name", "display", "url", "objectKey", "mime", "createdAt", "position",
    "attributes", "status"
)
VALUES (
    :id, :thread_id, :for_id, :type, :name, 'inline', :url, :object_key, :mime, :created_at, :position, :attributes,
    :status
)
ON CONFLICT ("id") DO NOTHING;

-- name: attachment_describe :exec
-- Sets what became of an attachment's bytes, and what was found in them. Carried by the primary key.
UPDATE elements SET
    "status" = :status,
    "attributes" = :attributes
WHERE "id" = :id
    AND "deletedAt" IS NULL;

-- name: attachment_copy :exec
-- Writes an attachment once more, for the copy of its message, with its bytes under another key. Carried by the primary
-- key.
INSERT INTO elements (
    "id", "threadId", "forId", "type", "name", "display", "url", "objectKey", "chainlitKey", "mime", "size", "language",
    "page", "props", "autoPlay", "playerConfig", "extra", "createdAt", "position", "attributes", "status"
)
SELECT
    CAST(:new_id AS TEXT),
    CAST(:thread_id AS TEXT),
    CAST(:for_id AS TEXT),
    elements."type",
    elements."name",
    elements."display",
    elements."url",
    CAST(:object_key AS TEXT),
    elements."chainlitKey",
    elements."mime",
    elements."size",
    elements."language",
    elements."page",
    elements."props",
    elements."autoPlay",
    elements."playerConfig",
    elements."extra",
    elements."createdAt",
    elements."position",
    elements."attributes",
    elements."status"
FROM elements
WHERE elements."id" = CAST(:id AS TEXT)
    AND elements."deletedAt" IS NULL
ON CONFLICT ("id") DO NOTHING;

-- name: element_shown :one
-- An element that is not deleted and belongs to no private message; of that thread, where one is named. Carried by the
-- primary keys.
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
LEFT JOIN steps ON steps."id" = elements."forId" AND steps."private"
WHERE elements."id" = :id
    AND (CAST(:thread_id AS TEXT) IS NULL OR elements."threadId" = CAST(:thread_id AS TEXT))
    AND elements."deletedAt" IS NULL
    AND steps."id" IS NULL;

-- name: pictures_of_users :many
-- The pictures that go with what users said in a thread. Carried by elements_thread_idx and the primary key.
SELECT elements."id" AS id, elements."objectKey" AS object_key
FROM elements
JOIN steps ON steps."id" = elements."forId"
WHERE elements."threadId" = :thread_id
    AND elements."type" = 'image'
    AND elements."deletedAt" IS NULL
    AND COALESCE(steps."role", CASE steps."type" WHEN 'user_message' THEN 'user' END) = 'user';

-- name: blob_rows :many
-- Elements that have bytes in the blob store, by key, after a key. Carried by elements_object_key_idx.
SELECT elements."objectKey" AS object_key, elements."id" AS id, elements."threadId" AS thread_id
FROM elements
WHERE elements."objectKey" > :after
    AND elements."deletedAt" IS NULL
ORDER BY elements."objectKey"
LIMIT :count;
