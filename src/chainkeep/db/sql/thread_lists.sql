-- name: threads_of_owner :many
-- A user's threads in a scope, which is an owner, an organisation (or none, unless any) and a product: newest activity
-- first, after a place in that order, and no step is read. With a feedback value, only threads where somebody voted so;
-- OFFSET 0 keeps PostgreSQL from reading everybody's votes once instead of each thread's. Carried by
-- users_identifier_key and threads_user_activity_idx.
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
WHERE threads."userId" = (SELECT owner."id" FROM users AS owner WHERE owner."identifier" = CAST(:owner AS TEXT))
    AND threads."deletedAt" IS NULL
    AND (
        CAST(:any_org AS BOOLEAN)
        OR threads."orgId" = CAST(:org AS TEXT)
        OR (threads."orgId" IS NULL AND CAST(:org AS TEXT) IS NULL)
    )
    AND (CAST(:product AS TEXT) IS NULL OR threads."product" = CAST(:product AS TEXT))
    AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
    AND (
        CAST(:feedback AS INTEGER) IS NULL
        OR EXISTS (
            SELECT 1
            FROM feedbacks
            WHERE feedbacks."threadId" = threads."id"
                AND feedbacks."value" = CAST(:feedback AS INTEGER)
            LIMIT 1 OFFSET 0
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count OFFSET :skip;

-- name: threads_of_org :many
-- As threads_of_owner, the threads of an organisation. Carried by threads_org_activity_idx.
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
WHERE threads."orgId" = CAST(:org AS TEXT)
    AND threads."deletedAt" IS NULL
    AND (CAST(:product AS TEXT) IS NULL OR threads."product" = CAST(:product AS TEXT))
    AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
    AND (
        CAST(:feedback AS INTEGER) IS NULL
        OR EXISTS (
            SELECT 1
            FROM feedbacks
            WHERE feedbacks."threadId" = threads."id"
                AND feedbacks."value" = CAST(:feedback AS INTEGER)
            LIMIT 1 OFFSET 0
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count OFFSET :skip;

-- name: threads_of_product :many
-- As threads_of_owner, the threads of a product. Carried by threads_product_activity_idx.
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
WHERE threads."product" = CAST(:product AS TEXT)
    AND threads."deletedAt" IS NULL
    AND (CAST(:any_org AS BOOLEAN) OR threads."orgId" IS NULL)
    AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
    AND (
        CAST(:feedback AS INTEGER) IS NULL
        OR EXISTS (
            SELECT 1
            FROM feedbacks
            WHERE feedbacks."threadId" = threads."id"
                AND feedbacks."value" = CAST(:feedback AS INTEGER)
            LIMIT 1 OFFSET 0
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count OFFSET :skip;

-- name: threads_of_everybody :many
-- As threads_of_owner, everybody's threads. Carried by threads_activity_idx.
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
WHERE threads."deletedAt" IS NULL
    AND (CAST(:any_org AS BOOLEAN) OR threads."orgId" IS NULL)
    AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
    AND (
        CAST(:feedback AS INTEGER) IS NULL
        OR EXISTS (
            SELECT 1
            FROM feedbacks
            WHERE feedbacks."threadId" = threads."id"
                AND feedbacks."value" = CAST(:feedback AS INTEGER)
            LIMIT 1 OFFSET 0
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count OFFSET :skip;

-- name: threads_count :one
-- How many threads the lists find from the start. Of the parts only the narrowest that is named finds any; carried by
-- the indexes of the lists.
SELECT COUNT(chosen.id) AS total
FROM (
    SELECT
        threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
        threads."deletedAt" AS deleted_at
    FROM threads
    WHERE threads."userId" = (SELECT users."id" FROM users WHERE users."identifier" = CAST(:owner AS TEXT))
    UNION ALL
    SELECT
        threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
        threads."deletedAt" AS deleted_at
    FROM threads
    WHERE threads."orgId" = CASE WHEN CAST(:owner AS TEXT) IS NULL THEN CAST(:org AS TEXT) END
    UNION ALL
    SELECT
        threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
        threads."deletedAt" AS deleted_at
    FROM threads
    WHERE threads."product" = CASE
        WHEN CAST(:owner AS TEXT) IS NULL AND CAST(:org AS TEXT) IS NULL THEN CAST(:product AS TEXT)
    END
    UNION ALL
    SELECT
        threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
        threads."deletedAt" AS deleted_at
    FROM threads
    WHERE threads."lastActivityAt" > CASE
        WHEN COALESCE(CAST(:owner AS TEXT), CAST(:org AS TEXT), CAST(:product AS TEXT)) IS NULL THEN ''
    END
) AS chosen
WHERE chosen.deleted_at IS NULL
    AND (
        CAST(:any_org AS BOOLEAN)
        OR chosen.org_id = CAST(:org AS TEXT)
        OR (chosen.org_id IS NULL AND CAST(:org AS TEXT) IS NULL)
    )
    AND (CAST(:product AS TEXT) IS NULL OR chosen.product = CAST(:product AS TEXT))
    AND (
        CAST(:feedback AS INTEGER) IS NULL
        OR EXISTS (
            SELECT 1
            FROM feedbacks
            WHERE feedbacks."threadId" = chosen.id
                AND feedbacks."value" = CAST(:feedback AS INTEGER)
            LIMIT 1 OFFSET 0
        )
    );

-- name: threads_with_facts :many
-- The threads in a scope of which every fact holds and none of the absent ones. Carried by the primary key of
-- thread_facts and by that of threads.
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
    AND (
        CAST(:any_org AS BOOLEAN)
        OR threads."orgId" = CAST(:org AS TEXT)
        OR (threads."orgId" IS NULL AND CAST(:org AS TEXT) IS NULL)
    )
    AND (CAST(:product AS TEXT) IS NULL OR threads."product" = CAST(:product AS TEXT))
    AND NOT EXISTS (
        SELECT 1
        FROM thread_facts AS other
        WHERE other."threadId" = threads."id"
            AND other."fact" IN :absent
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count;

-- name: threads_set_aside :many
-- The threads in a scope that were set aside before a time, oldest first. Carried by threads_restorable_idx.
SELECT threads."id" AS id
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."restorable"
    AND threads."deletedAt" < :before
    AND (
        CAST(:owner AS TEXT) IS NULL
        OR COALESCE(users."identifier", threads."userIdentifier") = CAST(:owner AS TEXT)
    )
    AND (
        CAST(:any_org AS BOOLEAN)
        OR threads."orgId" = CAST(:org AS TEXT)
        OR (threads."orgId" IS NULL AND CAST(:org AS TEXT) IS NULL)
    )
    AND (CAST(:product AS TEXT) IS NULL OR threads."product" = CAST(:product AS TEXT))
ORDER BY threads."deletedAt", threads."id"
LIMIT :count;

-- name: thread_in_scope :one
-- A row where the thread is in the scope, also where it was set aside. Carried by the primary keys.
SELECT threads."id" AS id
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."id" = :id
    AND (
        CAST(:owner AS TEXT) IS NULL
        OR COALESCE(users."identifier", threads."userIdentifier") = CAST(:owner AS TEXT)
    )
    AND (
        CAST(:any_org AS BOOLEAN)
        OR threads."orgId" = CAST(:org AS TEXT)
        OR (threads."orgId" IS NULL AND CAST(:org AS TEXT) IS NULL)
    )
    AND (CAST(:product AS TEXT) IS NULL OR threads."product" = CAST(:product AS TEXT));

-- name: threads_of_ids :many
-- These threads, those that are deleted left out, newest activity first. Carried by the primary keys and
-- steps_thread_created_idx.
-- expands: ids
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
WHERE threads."id" IN :ids
    AND threads."deletedAt" IS NULL
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC;
