-- name: written :one
-- How many steps have this name, and how many of them say what the last update said.
SELECT COUNT(*) AS steps, COUNT(CASE WHEN "output" = CAST(:output AS TEXT) THEN 1 END) AS updated
FROM steps
WHERE "name" = CAST(:name AS TEXT);

-- name: uploaded :one
-- How many elements have this name.
SELECT COUNT(*) AS elements FROM elements WHERE "name" = CAST(:name AS TEXT);

-- name: remains :one
-- How much is left of a thread.
SELECT
    (SELECT COUNT(*) FROM threads WHERE "id" = CAST(:thread_id AS TEXT) AND "deletedAt" IS NULL)
    + (SELECT COUNT(*) FROM steps WHERE "threadId" = CAST(:thread_id AS TEXT))
    + (SELECT COUNT(*) FROM elements WHERE "threadId" = CAST(:thread_id AS TEXT))
    + (SELECT COUNT(*) FROM feedbacks WHERE "threadId" = CAST(:thread_id AS TEXT)) AS remaining;
