-- name: found :many
-- The first page of the threads in which somebody said something, by trigrams; the words are lower case.
SELECT threads."id", threads."createdAt", threads."name", threads."userId", threads."metadata", threads."lastActivityAt"
FROM threads
WHERE threads."userId" = :user_id
    AND threads."id" IN (
        SELECT steps."threadId"
        FROM floor_texts
        JOIN steps ON steps.rowid = floor_texts.rowid
        WHERE floor_texts MATCH '"' || :words || '"'
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count;
