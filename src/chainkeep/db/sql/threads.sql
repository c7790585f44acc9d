-- name: thread_touch :exec
-- Makes the thread where it is missing, moves its last activity forward, and gives it its first owner: the user
-- named by id or, failing that, by identifier. An owner never changes, and a deleted thread stays deleted. Locks the
-- row until the transaction ends, so whoever touches first goes first. Carried by the primary key.
INSERT INTO threads ("id", "createdAt", "userId", "userIdentifier", "metadata", "lastActivityAt")
SELECT
    CAST(:id AS TEXT),
    CAST(:created_at AS TEXT),
    COALESCE(
        CAST(:user_id AS TEXT),
        (SELECT users."id" FROM users WHERE users."identifier" = CAST(:user_identifier AS TEXT))
    ),
    COALESCE(
        CAST(:user_identifier AS TEXT),
        (SELECT users."identifier" FROM users WHERE users."id" = CAST(:user_id AS TEXT))
    ),
    '{}',
    COALESCE(CAST(:activity_at AS TEXT), CAST(:created_at AS TEXT))
WHERE TRUE
ON CONFLICT ("id") DO UPDATE SET
    "lastActivityAt" = CASE
        WHEN CAST(:activity_at AS TEXT) > threads."lastActivityAt" THEN CAST(:activity_at AS TEXT)
        ELSE threads."lastActivityAt"
    END,
    "userId" = CASE
        WHEN threads."userIdentifier" IS NULL OR threads."userIdentifier" = excluded."userIdentifier"
            THEN COALESCE(threads."userId", excluded."userId")
        ELSE threads."userId"
    END,
    "userIdentifier" = CASE
        WHEN threads."userId" IS NULL THEN COALESCE(threads."userIdentifier", excluded."userIdentifier")
        ELSE threads."userIdentifier"
    END,
    "unindexed" = threads."unindexed" + CASE
        WHEN threads."userId" IS NULL AND excluded."userId" IS NOT NULL THEN 1
        ELSE 0
    END
WHERE threads."deletedAt" IS NULL
    AND (
        CAST(:activity_at AS TEXT) > threads."lastActivityAt"
        OR (threads."userId" IS NULL AND excluded."userId" IS NOT NULL)
        OR (threads."userIdentifier" IS NULL AND excluded."userIdentifier" IS NOT NULL)
    );

-- name: thread_update :exec
-- Sets what is given and leaves what is null; an organisation or a product that is there stays, and a name where
-- keep_name. Carried by the primary key.
UPDATE threads SET
    "name" = CASE
        WHEN CAST(:keep_name AS BOOLEAN) AND "name" IS NOT NULL THEN "name"
        ELSE COALESCE(CAST(:name AS TEXT), "name")
    END,
    "orgId" = COALESCE("orgId", CAST(:org_id AS TEXT)),
    "product" = COALESCE("product", CAST(:product AS TEXT)),
    "tags" = COALESCE(CAST(:tags AS TEXT), "tags"),
    "metadata" = COALESCE(CAST(:metadata AS TEXT), "metadata"),
    "unindexed" = "unindexed" + CASE WHEN CAST(:name AS TEXT) IS NULL THEN 0 ELSE 1 END
WHERE "id" = :id
    AND "deletedAt" IS NULL;

-- name: threads_star :exec
-- Notes that there are favourites in the threads; it stays when the last star is taken away. Carried by the primary key.
-- expands: ids
UPDATE threads SET "starred" = TRUE
WHERE "id" IN :ids
    AND NOT "starred";

-- name: thread_get :one
-- A thread that is not deleted, with its owner's identifier. Carried by the primary keys.
SELECT
    threads."id" AS id,
    threads."createdAt" AS created_at,
    threads."name" AS name,
    threads."userId" AS user_id,
    COALESCE(users."identifier", threads."userIdentifier") AS user_identifier,
    threads."tags" AS tags,
    threads."metadata" AS metadata,
    threads."lastActivityAt" AS last_activity_at
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."id" = :id
    AND threads."deletedAt" IS NULL;

-- name: thread_content :many
-- All that is in a thread that is not deleted, at one moment, in no order: its steps with their feedback, deleted ones
-- too; its elements; and the thread itself; private messages not, nor what hangs on them, and no message that only calls
-- tools, for which the UI draws a face and nothing beside it. What is no step stands in a step's columns, wherever there
-- is one of the same type: columns of its own would be read, empty, with every step. One statement, so that there is one
-- wait for the server and no transaction; one plan for all threads, for the reason of threads_page. Carried by the
-- primary keys, steps_thread_created_idx, feedbacks_for_key, elements_for_idx and elements_thread_idx.
SELECT
    steps."id" AS id,
    steps."threadId" AS thread_id,
    steps."parentId" AS parent_id,
    steps."type" AS type,
    steps."name" AS name,
    steps."input" AS input,
    steps."output" AS output,
    steps."createdAt" AS created_at,
    steps."start" AS start,
    steps."end" AS end,
    steps."command" AS command,
    steps."modes" AS modes,
    steps."language" AS language,
    steps."streaming" AS streaming,
    steps."waitForAnswer" AS wait_for_answer,
    steps."isError" AS is_error,
    steps."showInput" AS show_input,
    steps."defaultOpen" AS default_open,
    steps."autoCollapse" AS auto_collapse,
    steps."metadata" AS metadata,
    steps."tags" AS tags,
    steps."generation" AS generation,
    steps."extra" AS extra,
    steps."deletedAt" AS deleted_at,
    feedbacks."id" AS feedback_id,
    feedbacks."value" AS feedback_value,
    feedbacks."comment" AS feedback_comment,
    'step' AS kind,
    steps."position" AS position
FROM steps
LEFT JOIN feedbacks ON feedbacks."forId" = steps."id"
WHERE steps."threadId" = (SELECT CAST(:id AS TEXT))
    AND NOT steps."private"
    AND NOT (
        steps."output" = ''
        AND steps."type" = 'assistant_message'
        AND COALESCE(steps."ext", '') LIKE '%"toolCalls":%'
        AND NOT EXISTS (SELECT 1 FROM elements AS shown WHERE shown."forId" = steps."id")
    )
UNION ALL
SELECT
    elements."id", elements."threadId", elements."forId", elements."type", elements."name", elements."display",
    elements."url", elements."objectKey", elements."chainlitKey", elements."mime", elements."size", elements."props",
    elements."language", elements."autoPlay", NULL, NULL, elements."playerConfig", NULL, NULL, elements."attributes",
    elements."status", NULL, elements."extra", NULL, NULL, elements."page", NULL, 'element', elements."position"
FROM elements
LEFT JOIN steps AS hidden ON hidden."id" = elements."forId" AND hidden."private"
WHERE elements."threadId" = (SELECT CAST(:id AS TEXT))
    AND elements."deletedAt" IS NULL
    AND hidden."id" IS NULL
UNION ALL
SELECT
    threads."id", NULL, NULL, NULL, threads."name", threads."userId",
    COALESCE(users."identifier", threads."userIdentifier"), threads."createdAt", threads."lastActivityAt", NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, threads."metadata", threads."tags", NULL, NULL, NULL, NULL, NULL,
    NULL, 'thread', NULL
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."id" = (SELECT CAST(:id AS TEXT))
    AND threads."deletedAt" IS NULL;

-- name: thread_author :one
-- The identifier of a thread's owner; no row for a thread that is deleted or was never there. Carried by the primary
-- keys.
SELECT COALESCE(users."identifier", threads."userIdentifier") AS user_identifier
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."id" = :id
    AND threads."deletedAt" IS NULL;

-- name: threads_page :many
-- A user's threads, newest activity first, after a place in that order; names cut to 300 characters, steps not read.
-- The user is looked up once. Each value stands in a SELECT of its own, where PostgreSQL does not see it when it plans:
-- so it plans the same for all, and soon no more. Carried by threads_user_activity_idx and the primary key of users.
SELECT
    threads."id" AS id,
    threads."createdAt" AS created_at,
    SUBSTR(threads."name", 1, 300) AS name,
    threads."userId" AS user_id,
    COALESCE(
        (SELECT users."identifier" FROM users WHERE users."id" = CAST(:user_id AS TEXT)),
        threads."userIdentifier"
    ) AS user_identifier,
    threads."tags" AS tags,
    threads."metadata" AS metadata,
    threads."lastActivityAt" AS last_activity_at
FROM threads
WHERE threads."userId" = (SELECT CAST(:user_id AS TEXT))
    AND threads."deletedAt" IS NULL
    AND (threads."lastActivityAt", threads."id")
        < ((SELECT CAST(:before_activity AS TEXT)), (SELECT CAST(:before_id AS TEXT)))
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT (SELECT CAST(:count AS INTEGER));

-- name: threads_page_voted :many
-- As threads_page, only threads where somebody voted so. Carried by threads_user_activity_idx, feedbacks_thread_idx and
-- the primary key of users; OFFSET 0 keeps PostgreSQL from reading everybody's votes once instead of each thread's.
SELECT
    threads."id" AS id,
    threads."createdAt" AS created_at,
    SUBSTR(threads."name", 1, 300) AS name,
    threads."userId" AS user_id,
    COALESCE(
        (SELECT users."identifier" FROM users WHERE users."id" = CAST(:user_id AS TEXT)),
        threads."userIdentifier"
    ) AS user_identifier,
    threads."tags" AS tags,
    threads."metadata" AS metadata,
    threads."lastActivityAt" AS last_activity_at
FROM threads
WHERE threads."userId" = (SELECT CAST(:user_id AS TEXT))
    AND threads."deletedAt" IS NULL
    AND (threads."lastActivityAt", threads."id")
        < ((SELECT CAST(:before_activity AS TEXT)), (SELECT CAST(:before_id AS TEXT)))
    AND EXISTS (
        SELECT 1
        FROM feedbacks
        WHERE feedbacks."threadId" = threads."id"
            AND feedbacks."value" = CAST(:feedback AS INTEGER)
        LIMIT 1 OFFSET 0
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT (SELECT CAST(:count AS INTEGER));

-- name: thread_delete :exec
-- Empties the thread, also one that could be restored, and leaves it as a tombstone. Carried by the primary key.
UPDATE threads SET
    "name" = NULL,
    "userId" = NULL,
    "userIdentifier" = NULL,
    "tags" = NULL,
    "metadata" = '{}',
    "deletedAt" = :deleted_at,
    "attributes" = NULL,
    "platforms" = NULL,
    "public" = NULL,
    "restorable" = FALSE,
    "orgId" = NULL,
    "product" = NULL,
    "unindexed" = "unindexed" + 1,
    "starred" = FALSE
WHERE "id" = :id
    AND ("deletedAt" IS NULL OR "restorable");

-- name: thread_clear_steps :exec
-- Removes a thread's steps. Carried by steps_thread_created_idx.
DELETE FROM steps
WHERE "threadId" = :thread_id;

-- name: thread_clear_elements :exec
-- Removes a thread's elements. Carried by elements_thread_idx.
DELETE FROM elements
WHERE "threadId" = :thread_id;

-- name: thread_clear_feedbacks :exec
-- Removes the votes on a thread's steps, also those that came without a thread; runs before the steps go. Carried by
-- feedbacks_thread_idx, feedbacks_for_key and steps_thread_created_idx.
DELETE FROM feedbacks
WHERE "id" IN (
    SELECT direct."id"
    FROM feedbacks AS direct
    WHERE direct."threadId" = CAST(:thread_id AS TEXT)
    UNION
    SELECT by_step."id"
    FROM steps
    JOIN feedbacks AS by_step ON by_step."forId" = steps."id"
    WHERE steps."threadId" = CAST(:thread_id AS TEXT)
);
