-- name: user_get :one
-- The user who logs in as this identifier. Carried by users_identifier_key.
SELECT
    "id" AS id,
    "identifier" AS identifier,
    "displayName" AS display_name,
    "metadata" AS metadata,
    "createdAt" AS created_at
FROM users
WHERE "identifier" = :identifier;

-- name: user_upsert :one
-- Makes the user, or takes over the newer name and metadata of one who exists; id and creation time stay.
-- Carried by users_identifier_key.
INSERT INTO users ("id", "identifier", "displayName", "metadata", "createdAt")
VALUES (:id, :identifier, :display_name, :metadata, :created_at)
ON CONFLICT ("identifier") DO UPDATE SET
    "displayName" = COALESCE(excluded."displayName", users."displayName"),
    "metadata" = excluded."metadata"
RETURNING
    "id" AS id,
    "identifier" AS identifier,
    "displayName" AS display_name,
    "metadata" AS metadata,
    "createdAt" AS created_at;
