-- name: written :one
-- As in chainkeep.checks.sql.
SELECT COUNT(*) AS steps, COUNT(CASE WHEN "output" = CAST(:output AS TEXT) THEN 1 END) AS updated
FROM steps
WHERE "name" = CAST(:name AS TEXT);

-- name: uploaded :one
-- As in chainkeep.checks.sql.
SELECT COUNT(*) AS elements FROM elements WHERE "name" = CAST(:name AS TEXT);

-- name: remains :one
-- As in chainkeep.checks.sql.
SELECT
    (SELECT COUNT(*) FROM threads WHERE CAST("id" AS TEXT) = CAST(:thread_id AS TEXT))
    + (SELECT COUNT(*) FROM steps WHERE CAST("threadId" AS TEXT) = CAST(:thread_id AS TEXT))
    + (SELECT COUNT(*) FROM elements WHERE CAST("threadId" AS TEXT) = CAST(:thread_id AS TEXT))
    + (SELECT COUNT(*) FROM feedbacks WHERE CAST("threadId" AS TEXT) = CAST(:thread_id AS TEXT)) AS remaining;
