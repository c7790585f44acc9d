-- name: role_add :exec
-- Adds a role to a thread; nothing where it has one of that name. Carried by the primary key.
INSERT INTO thread_roles ("threadId", "name", "userId", "userName", "icon", "description", "position")
VALUES (:thread_id, :name, :user_id, :user_name, :icon, :description, :position)
ON CONFLICT ("threadId", "name") DO NOTHING;

-- name: role_replace :exec
-- Sets all that a role is, but its name and its place. Carried by the primary key.
UPDATE thread_roles SET
    "userId" = :user_id,
    "userName" = :user_name,
    "icon" = :icon,
    "description" = :description
WHERE "threadId" = :thread_id
    AND "name" = :name;

-- name: role_remove :exec
-- Removes a role from a thread. Carried by the primary key.
DELETE FROM thread_roles
WHERE "threadId" = :thread_id
    AND "name" = :name;

-- name: roles_of_thread :many
-- The roles of a thread that is not deleted, in the order in which they were added. Carried by the primary keys.
SELECT
    thread_roles."name" AS name,
    thread_roles."userId" AS user_id,
    thread_roles."userName" AS user_name,
    thread_roles."icon" AS icon,
    thread_roles."description" AS description
FROM thread_roles
JOIN threads ON threads."id" = thread_roles."threadId"
WHERE thread_roles."threadId" = :thread_id
    AND threads."deletedAt" IS NULL
ORDER BY thread_roles."position", thread_roles."name";
