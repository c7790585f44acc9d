-- The least that each call can be: one statement, on chainkeep's tables. Nothing here guards, merges
-- or moves a thread up the list.

-- name: step :exec
-- A step, whether it is new or not.
INSERT INTO steps (
    "id", "threadId", "parentId", "type", "name", "input", "output", "createdAt", "start", "end", "streaming", "isError",
    "showInput", "metadata", "favorite", "position", "revision"
)
VALUES (
    :id, :thread_id, :parent_id, :type, :name, :input, :output, :created_at, :start, :end, FALSE, FALSE, 'true', '{}',
    FALSE, :position, 0
)
ON CONFLICT ("id") DO UPDATE SET "output" = excluded."output", "end" = excluded."end";

-- name: thread :exec
-- A thread, whether it is new or not.
INSERT INTO threads ("id", "createdAt", "name", "userId", "metadata", "lastActivityAt")
VALUES (:id, :created_at, :name, :user_id, '{}', :created_at)
ON CONFLICT ("id") DO UPDATE SET "name" = excluded."name";

-- name: element :exec
-- An element, whether it is new or not.
INSERT INTO elements ("id", "threadId", "forId", "type", "name", "display", "objectKey", "mime", "createdAt", "position")
VALUES (:id, :thread_id, :for_id, :type, :name, :display, :object_key, :mime, :created_at, :position)
ON CONFLICT ("id") DO UPDATE SET "name" = excluded."name";

-- name: user :one
-- A user.
SELECT "id", "identifier", "displayName", "metadata", "createdAt" FROM users WHERE "identifier" = :identifier;

-- name: author :one
-- Whose thread it is.
SELECT users."identifier" FROM threads JOIN users ON users."id" = threads."userId" WHERE threads."id" = :id;

-- name: page :many
-- The page after a thread, or the first.
SELECT threads."id", threads."createdAt", threads."name", threads."userId", threads."metadata", threads."lastActivityAt"
FROM threads
WHERE threads."userId" = :user_id
    AND (
        CAST(:after AS TEXT) IS NULL
        OR (threads."lastActivityAt", threads."id") < (
            SELECT last."lastActivityAt", last."id" FROM threads AS last WHERE last."id" = CAST(:after AS TEXT)
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT CAST(:count AS INTEGER);

-- name: thread_row :one
-- A thread.
SELECT "id", "createdAt", "name", "userId", "userIdentifier", "metadata", "tags" FROM threads WHERE "id" = :id;

-- name: thread_steps :many
-- A thread's steps with their votes.
SELECT
    steps."id", steps."threadId", steps."parentId", steps."type", steps."name", steps."input", steps."output",
    steps."createdAt", steps."start", steps."end", steps."command", steps."modes", steps."language", steps."streaming",
    steps."waitForAnswer", steps."isError", steps."showInput", steps."defaultOpen", steps."autoCollapse",
    steps."metadata", steps."tags", steps."generation", feedbacks."id" AS "feedbackId", feedbacks."value" AS "feedbackValue",
    feedbacks."comment" AS "feedbackComment"
FROM steps
LEFT JOIN feedbacks ON feedbacks."forId" = steps."id"
WHERE steps."threadId" = :id
ORDER BY steps."createdAt", steps."position";

-- name: thread_elements :many
-- A thread's elements.
SELECT
    "id", "threadId", "forId", "type", "name", "display", "url", "objectKey", "chainlitKey", "mime", "size", "language",
    "page", "props", "autoPlay", "playerConfig"
FROM elements
WHERE "threadId" = :id;

-- name: favorites :many
-- What a user starred, newest first.
SELECT steps."id", steps."threadId", steps."type", steps."name", steps."output", steps."createdAt", steps."metadata"
FROM threads
JOIN steps ON steps."threadId" = threads."id"
WHERE threads."userId" = :user_id AND steps."favorite"
ORDER BY steps."createdAt" DESC;

-- name: delete_feedbacks :exec
-- A thread's votes.
DELETE FROM feedbacks WHERE "threadId" = :id;

-- name: delete_elements :exec
-- A thread's elements.
DELETE FROM elements WHERE "threadId" = :id;

-- name: delete_steps :exec
-- A thread's steps.
DELETE FROM steps WHERE "threadId" = :id;

-- name: delete_thread :exec
-- A thread.
DELETE FROM threads WHERE "id" = :id;
