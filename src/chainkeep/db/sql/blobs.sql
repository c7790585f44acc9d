-- name: blob_deletion_request :exec
-- Notes that a blob is to go once this transaction is committed. Carried by the primary key.
INSERT INTO blob_deletions ("objectKey", "requestedAt")
VALUES (:object_key, :requested_at)
ON CONFLICT ("objectKey") DO NOTHING;

-- name: blob_deletion_requests :many
-- Blobs that are still to go, oldest first.
SELECT "objectKey" AS object_key
FROM blob_deletions
ORDER BY "requestedAt", "objectKey"
LIMIT :count;

-- name: blob_deletions_wanted :many
-- Which of these blobs are still to go. Carried by the primary key.
-- expands: object_keys
SELECT "objectKey" AS object_key
FROM blob_deletions
WHERE "objectKey" IN :object_keys;

-- name: blob_deletions_done :exec
-- Forgets blobs that are gone, or wanted again. Carried by the primary key.
-- expands: object_keys
DELETE FROM blob_deletions
WHERE "objectKey" IN :object_keys;
