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
-- A thread's roles, in the order in which they were added. Carried by the primary key.
SELECT
    "name" AS name,
    "userId" AS user_id,
    "userName" AS user_name,
    "icon" AS icon,
    "description" AS description
FROM thread_roles
WHERE "threadId" = :thread_id
ORDER BY "position", "name";
