-- name: written :one
-- As in chainkeep.checks.sql.
SELECT COUNT(*) AS steps, COUNT(CASE WHEN "output" = CAST(:output AS TEXT) THEN 1 END) AS updated
FROM "Step"
WHERE "name" = CAST(:name AS TEXT);

-- name: uploaded :one
-- As in chainkeep.checks.sql.
SELECT COUNT(*) AS elements FROM "Element" WHERE "name" = CAST(:name AS TEXT);

-- name: remains :one
-- As in chainkeep.checks.sql. A vote is found by its step, and outlives it.
SELECT
    (SELECT COUNT(*) FROM "Thread" WHERE "id" = CAST(:thread_id AS TEXT))
    + (SELECT COUNT(*) FROM "Step" WHERE "threadId" = CAST(:thread_id AS TEXT))
    + (SELECT COUNT(*) FROM "Element" WHERE "threadId" = CAST(:thread_id AS TEXT)) AS remaining;
