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
    (
        SELECT said."id"
        FROM steps AS said
        WHERE said."threadId" = threads."id"
            AND said."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
            AND said."deletedAt" IS NULL
        ORDER BY said."createdAt" DESC, said."position" DESC, said."id" DESC
        LIMIT 1
    ) AS last_message_id,
    threads."deletedAt" AS deleted_at,
    threads."orgId" AS org_id,
    threads."product" AS product
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."id" = :id
    AND (threads."deletedAt" IS NULL OR (CAST(:include_deleted AS BOOLEAN) AND threads."restorable"));

-- name: thread_deleted_at :one
-- When a thread was deleted, for good or not; nothing where it was not. Carried by the primary key.
SELECT "deletedAt" AS deleted_at
FROM threads
WHERE "id" = :id
    AND "deletedAt" IS NOT NULL;

-- name: thread_revise :exec
-- Sets what is given and leaves what is null; an empty name is none, and an organisation or a product that is there
-- stays. Carried by the primary key.
UPDATE threads SET
    "name" = NULLIF(COALESCE(CAST(:name AS TEXT), "name"), ''),
    "tags" = COALESCE(CAST(:tags AS TEXT), "tags"),
    "metadata" = COALESCE(CAST(:metadata AS TEXT), "metadata"),
    "attributes" = COALESCE(CAST(:attributes AS TEXT), "attributes"),
    "platforms" = COALESCE(CAST(:platforms AS TEXT), "platforms"),
    "public" = COALESCE(CAST(:public AS BOOLEAN), "public"),
    "orgId" = COALESCE("orgId", CAST(:org_id AS TEXT)),
    "product" = COALESCE("product", CAST(:product AS TEXT)),
    "updatedAt" = CAST(:updated_at AS TEXT),
    "unindexed" = "unindexed" + CASE WHEN CAST(:name AS TEXT) IS NULL THEN 0 ELSE 1 END
WHERE "id" = :id
    AND "deletedAt" IS NULL;

-- name: thread_advance :one
-- Takes the next places in a thread of a scope that is not deleted, after every message in it, and moves its last
-- activity forward; the last of the places, the last activity, and the thread's first role that is its owner's. Locks
-- the row until the transaction ends, so whoever comes first goes first. Carried by the primary keys.
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
    AND (
        CAST(:owner AS TEXT) IS NULL
        OR COALESCE(
            (SELECT users."identifier" FROM users WHERE users."id" = threads."userId"),
            "userIdentifier"
        ) = CAST(:owner AS TEXT)
    )
    AND (
        CAST(:any_org AS BOOLEAN)
        OR "orgId" = CAST(:org AS TEXT)
        OR ("orgId" IS NULL AND CAST(:org AS TEXT) IS NULL)
    )
    AND (CAST(:product AS TEXT) IS NULL OR "product" = CAST(:product AS TEXT))
RETURNING
    "lastPosition" AS last_position,
    "lastActivityAt" AS last_activity_at,
    (
        SELECT thread_roles."name"
        FROM thread_roles
        WHERE thread_roles."threadId" = threads."id"
            AND thread_roles."userId" IN (threads."userId", threads."userIdentifier")
        ORDER BY thread_roles."position"
        LIMIT 1
    ) AS owners_role;

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
