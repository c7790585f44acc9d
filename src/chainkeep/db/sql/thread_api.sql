-- name: user_ensure :exec
-- Makes a user who has not logged in yet; one who exists stays as they are. Carried by users_identifier_key.
INSERT INTO users ("id", "identifier", "metadata", "createdAt")
VALUES (:id, :identifier, '{}', :created_at)
ON CONFLICT ("identifier") DO NOTHING;

-- name: thread_create :exec
-- Makes a thread, and nothing where its id is taken, also by one that was deleted. Carried by the primary key and
-- users_identifier_key.
INSERT INTO threads (
    "id", "createdAt", "name", "userId", "userIdentifier", "tags", "metadata", "lastActivityAt", "attributes",
    "platforms", "public", "updatedAt", "orgId", "product"
)
VALUES (
    :id,
    :created_at,
    :name,
    (SELECT users."id" FROM users WHERE users."identifier" = CAST(:owner AS TEXT)),
    :owner,
    :tags,
    :metadata,
    :created_at,
    :attributes,
    :platforms,
    :public,
    :created_at,
    :org_id,
    :product
)
ON CONFLICT ("id") DO NOTHING;

-- name: thread_read :one
-- A thread with what the Thread API keeps of it; a deleted one only where it is asked for and can be restored. Carried
-- by the primary keys.
SELECT
    threads."id" AS id,
    threads."createdAt" AS created_at,
    threads."name" AS name,
    threads."userId" AS user_id,
    COALESCE(users."identifier", threads."userIdentifier") AS user_identifier,
    threads."tags" AS tags,
    threads."metadata" AS metadata,
    threads."lastActivityAt" AS last_activity_at,
    threads."attributes" AS attributes,
    threads."platforms" AS platforms,
    threads."public" AS public,
    threads."updatedAt" AS updated_at,
    threads."deletedAt" AS deleted_at,
    threads."orgId" AS org_id,
    threads."product" AS product
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."id" = :id
    AND (threads."deletedAt" IS NULL OR (CAST(:include_deleted AS BOOLEAN) AND threads."restorable"));

-- name: thread_revise :exec
-- Sets what is given and leaves what is null. Carried by the primary key.
UPDATE threads SET
    "name" = COALESCE(CAST(:name AS TEXT), "name"),
    "tags" = COALESCE(CAST(:tags AS TEXT), "tags"),
    "metadata" = COALESCE(CAST(:metadata AS TEXT), "metadata"),
    "attributes" = COALESCE(CAST(:attributes AS TEXT), "attributes"),
    "platforms" = COALESCE(CAST(:platforms AS TEXT), "platforms"),
    "public" = COALESCE(CAST(:public AS BOOLEAN), "public"),
    "updatedAt" = CAST(:updated_at AS TEXT)
WHERE "id" = :id
    AND "deletedAt" IS NULL;

-- name: thread_advance :one
-- Takes the next places in a thread that is not deleted, after every message in it, and moves its last activity
-- forward; the last of the places, and the last activity. Locks the row until the transaction ends, so whoever comes
-- first goes first. Carried by the primary key.
UPDATE threads SET
    "lastPosition" = CASE
        WHEN CAST(:position AS BIGINT) > COALESCE("lastPosition", 0)
            THEN CAST(:position AS BIGINT) + CAST(:count AS BIGINT) - 1
        ELSE "lastPosition" + CAST(:count AS BIGINT)
    END,
    "lastActivityAt" = CASE
        WHEN CAST(:activity_at AS TEXT) > "lastActivityAt" THEN CAST(:activity_at AS TEXT)
        ELSE "lastActivityAt"
    END
WHERE "id" = :id
    AND "deletedAt" IS NULL
RETURNING "lastPosition" AS last_position, "lastActivityAt" AS last_activity_at;

-- name: thread_set_aside :exec
-- Deletes a thread so that it can be restored: nothing in it is emptied, and nobody sees it. Carried by the primary
-- key.
UPDATE threads SET
    "deletedAt" = :deleted_at,
    "restorable" = TRUE
WHERE "id" = :id
    AND "deletedAt" IS NULL;

-- name: thread_restore :exec
-- Brings a thread back that was set aside. Carried by the primary key.
UPDATE threads SET
    "deletedAt" = NULL,
    "restorable" = FALSE
WHERE "id" = :id
    AND "restorable";

-- name: threads_set_aside :many
-- The threads that were set aside before a time, oldest first. Carried by threads_restorable_idx.
SELECT threads."id" AS id
FROM threads
WHERE threads."restorable"
    AND threads."deletedAt" < :before
ORDER BY threads."deletedAt", threads."id"
LIMIT :count;

-- name: threads_of_owner :many
-- A user's threads, newest activity first, after a place in that order; with a pattern, only those whose title or
-- messages match it. Carried by users_identifier_key and threads_user_activity_idx.
SELECT
    threads."id" AS id,
    threads."createdAt" AS created_at,
    threads."name" AS name,
    threads."userId" AS user_id,
    COALESCE(users."identifier", threads."userIdentifier") AS user_identifier,
    threads."tags" AS tags,
    threads."metadata" AS metadata,
    threads."lastActivityAt" AS last_activity_at,
    threads."attributes" AS attributes,
    threads."platforms" AS platforms,
    threads."public" AS public,
    threads."updatedAt" AS updated_at,
    threads."deletedAt" AS deleted_at,
    threads."orgId" AS org_id,
    threads."product" AS product
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."userId" = (SELECT owner."id" FROM users AS owner WHERE owner."identifier" = CAST(:owner AS TEXT))
    AND threads."deletedAt" IS NULL
    AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
    AND (
        CAST(:pattern AS TEXT) IS NULL
        OR LOWER(threads."name") LIKE LOWER(CAST(:pattern AS TEXT)) ESCAPE '!'
        OR EXISTS (
            SELECT 1
            FROM steps
            WHERE steps."threadId" = threads."id"
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
                AND steps."deletedAt" IS NULL
                AND NOT steps."private"
                AND LOWER(steps."output") LIKE LOWER(CAST(:pattern AS TEXT)) ESCAPE '!'
            LIMIT 1 OFFSET 0
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count OFFSET :skip;

-- name: threads_of_owner_count :one
-- How many threads threads_of_owner finds from the start. Carried by users_identifier_key and
-- threads_user_activity_idx.
SELECT COUNT(threads."id") AS total
FROM threads
WHERE threads."userId" = (SELECT owner."id" FROM users AS owner WHERE owner."identifier" = CAST(:owner AS TEXT))
    AND threads."deletedAt" IS NULL
    AND (
        CAST(:pattern AS TEXT) IS NULL
        OR LOWER(threads."name") LIKE LOWER(CAST(:pattern AS TEXT)) ESCAPE '!'
        OR EXISTS (
            SELECT 1
            FROM steps
            WHERE steps."threadId" = threads."id"
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
                AND steps."deletedAt" IS NULL
                AND NOT steps."private"
                AND LOWER(steps."output") LIKE LOWER(CAST(:pattern AS TEXT)) ESCAPE '!'
            LIMIT 1 OFFSET 0
        )
    );

-- name: threads_of_everybody :many
-- All threads, newest activity first, after a place in that order; with a pattern, only those whose title or messages
-- match it. Carried by threads_activity_idx.
SELECT
    threads."id" AS id,
    threads."createdAt" AS created_at,
    threads."name" AS name,
    threads."userId" AS user_id,
    COALESCE(users."identifier", threads."userIdentifier") AS user_identifier,
    threads."tags" AS tags,
    threads."metadata" AS metadata,
    threads."lastActivityAt" AS last_activity_at,
    threads."attributes" AS attributes,
    threads."platforms" AS platforms,
    threads."public" AS public,
    threads."updatedAt" AS updated_at,
    threads."deletedAt" AS deleted_at,
    threads."orgId" AS org_id,
    threads."product" AS product
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
    AND threads."deletedAt" IS NULL
    AND (
        CAST(:pattern AS TEXT) IS NULL
        OR LOWER(threads."name") LIKE LOWER(CAST(:pattern AS TEXT)) ESCAPE '!'
        OR EXISTS (
            SELECT 1
            FROM steps
            WHERE steps."threadId" = threads."id"
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
                AND steps."deletedAt" IS NULL
                AND NOT steps."private"
                AND LOWER(steps."output") LIKE LOWER(CAST(:pattern AS TEXT)) ESCAPE '!'
            LIMIT 1 OFFSET 0
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count;

-- name: threads_with_facts :many
-- The threads of which every fact holds and none of the absent ones, newest activity first; of that owner, where one is
-- named. Carried by the primary key of thread_facts and by that of threads.
-- expands: facts, absent
SELECT
    threads."id" AS id,
    threads."createdAt" AS created_at,
    threads."name" AS name,
    threads."userId" AS user_id,
    COALESCE(users."identifier", threads."userIdentifier") AS user_identifier,
    threads."tags" AS tags,
    threads."metadata" AS metadata,
    threads."lastActivityAt" AS last_activity_at,
    threads."attributes" AS attributes,
    threads."platforms" AS platforms,
    threads."public" AS public,
    threads."updatedAt" AS updated_at,
    threads."deletedAt" AS deleted_at,
    threads."orgId" AS org_id,
    threads."product" AS product
FROM (
    SELECT thread_facts."threadId" AS id
    FROM thread_facts
    WHERE thread_facts."fact" IN :facts
    GROUP BY thread_facts."threadId"
    HAVING COUNT(thread_facts."fact") = CAST(:fact_count AS INTEGER)
) AS found
JOIN threads ON threads."id" = found.id
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."deletedAt" IS NULL
    AND (
        CAST(:owner AS TEXT) IS NULL
        OR COALESCE(users."identifier", threads."userIdentifier") = CAST(:owner AS TEXT)
    )
    AND NOT EXISTS (
        SELECT 1
        FROM thread_facts AS other
        WHERE other."threadId" = threads."id"
            AND other."fact" IN :absent
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count;

-- name: thread_forget_facts :exec
-- Removes what a thread is found by. Carried by thread_facts_thread_idx.
DELETE FROM thread_facts
WHERE "threadId" = :thread_id;

-- name: thread_note_facts :exec
-- Notes something that a thread is found by. Carried by the primary key.
INSERT INTO thread_facts ("fact", "threadId")
VALUES (:fact, :thread_id)
ON CONFLICT ("fact", "threadId") DO NOTHING;

-- name: thread_clear_roles :exec
-- Removes a thread's roles. Carried by the primary key.
DELETE FROM thread_roles
WHERE "threadId" = :thread_id;

-- name: thread_clear_summaries :exec
-- Removes the summaries of a thread's messages. Carried by message_summaries_thread_idx.
DELETE FROM message_summaries
WHERE "threadId" = :thread_id;

-- name: thread_clear_reactions :exec
-- Removes the reactions to a thread's messages; runs before the steps go. Carried by steps_thread_created_idx and the
-- primary key.
DELETE FROM reactions
WHERE "stepId" IN (
    SELECT steps."id"
    FROM steps
    WHERE steps."threadId" = :thread_id
);
