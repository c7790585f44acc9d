-- name: found :many
-- The first page of the threads in which somebody said something, by trigrams; the words are lower case.
SELECT threads."id", threads."createdAt", threads."name", threads."userId", threads."metadata", threads."lastActivityAt"
FROM threads
WHERE threads."userId" = :user_id
    AND threads."id" IN (
        SELECT steps."threadId"
        FROM steps
        WHERE LOWER(steps."output") LIKE '%' || CAST(:words AS TEXT) || '%'
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT CAST(:count AS INTEGER);
