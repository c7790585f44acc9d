-- name: search_backlog :many
-- Threads with titles or messages that the search index has not seen, at most so many rows of each. Carried by
-- threads_unindexed_idx and steps_unindexed_idx.
SELECT titles.id AS thread_id
FROM (
    SELECT threads."id" AS id
    FROM threads
    WHERE threads."unindexed" > 0
    ORDER BY threads."id"
    LIMIT :count
) AS titles
UNION ALL
SELECT messages.thread_id AS thread_id
FROM (
    SELECT steps."threadId" AS thread_id
    FROM steps
    WHERE steps."unindexed" > 0
        AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
    ORDER BY steps."threadId"
    LIMIT :count
) AS messages;

-- name: search_backlog_of_user :many
-- A user's threads of which the search index has not seen everything, newest activity first, after a place in that
-- order; it tries each thread, and runs only while much is not indexed. Carried by threads_user_activity_idx,
-- steps_thread_created_idx and steps_unindexed_idx.
SELECT threads."id" AS thread_id, threads."lastActivityAt" AS last_activity_at
FROM threads
WHERE threads."userId" = :user_id
    AND threads."deletedAt" IS NULL
    AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
    AND (
        threads."unindexed" > 0
        OR EXISTS (
            SELECT 1
            FROM steps
            WHERE steps."threadId" = threads."id"
                AND steps."unindexed" > 0
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
            LIMIT 1 OFFSET 0
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count;

-- name: search_backlog_of_everybody :many
-- Everybody's threads of which the search index has not seen everything, newest activity first, after a place in that
-- order; it tries each thread, and runs only while much is not indexed. Carried by threads_activity_idx,
-- steps_thread_created_idx and steps_unindexed_idx.
SELECT threads."id" AS thread_id, threads."lastActivityAt" AS last_activity_at
FROM threads
WHERE threads."deletedAt" IS NULL
    AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
    AND (
        threads."unindexed" > 0
        OR EXISTS (
            SELECT 1
            FROM steps
            WHERE steps."threadId" = threads."id"
                AND steps."unindexed" > 0
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
            LIMIT 1 OFFSET 0
        )
    )
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
LIMIT :count;

-- name: search_unindexed :many
-- Titles and messages of these threads that the search index has not seen, as they were said, and all messages where
-- it may not know whose the thread is; of that user, where one is named. Carried by the primary key,
-- feedbacks_thread_idx, steps_unindexed_idx and steps_thread_created_idx.
-- expands: ids
SELECT chosen.id AS thread_id, chosen.last_activity_at AS last_activity_at, said.text AS text
FROM (
    SELECT
        threads."id" AS id,
        threads."lastActivityAt" AS last_activity_at
    FROM threads
    WHERE threads."id" IN :ids
        AND (CAST(:user_id AS TEXT) IS NULL OR threads."userId" = CAST(:user_id AS TEXT))
        AND threads."deletedAt" IS NULL
        AND (
            CAST(:any_org AS BOOLEAN)
            OR threads."orgId" = CAST(:org AS TEXT)
            OR (CAST(:org AS TEXT) IS NULL AND threads."orgId" IS NULL)
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
) AS chosen
JOIN (
    SELECT threads."id" AS thread_id, threads."name" AS text
    FROM threads
    WHERE threads."id" IN :ids
        AND threads."unindexed" > 0
        AND threads."name" IS NOT NULL
    UNION ALL
    SELECT steps."threadId" AS thread_id, steps."output" AS text
    FROM steps
    WHERE steps."threadId" IN :ids
        AND steps."unindexed" > 0
        AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
        AND steps."deletedAt" IS NULL
        AND NOT steps."private"
    UNION ALL
    SELECT threads."id" AS thread_id, steps."output" AS text
    FROM threads
    JOIN steps ON steps."threadId" = threads."id"
    WHERE threads."id" IN :ids
        AND threads."unindexed" > 0
        AND steps."unindexed" = 0
        AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
        AND steps."deletedAt" IS NULL
        AND NOT steps."private"
) AS said ON said.thread_id = chosen.id
ORDER BY chosen.last_activity_at DESC, chosen.id DESC;

-- name: search_walk_of_user :many
-- Of a user's threads, newest activity first, after a place in that order, those whose indexed title or messages
-- match a pattern; it looks at no more than `reach` threads. And whether anybody's titles or messages wait to be
-- indexed: always a row, without a thread where none matches. For words that are said often: OFFSET 0 keeps PostgreSQL
-- from reading everybody's texts, and the empty text from reading the trigram index for each thread. Carried by
-- threads_user_activity_idx, the primary keys, feedbacks_thread_idx, threads_unindexed_idx and steps_unindexed_idx.
SELECT
    COALESCE(
        (SELECT threads."id" FROM threads WHERE threads."unindexed" > 0 ORDER BY threads."id" LIMIT 1),
        (
            SELECT steps."threadId"
            FROM steps
            WHERE steps."unindexed" > 0
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
            ORDER BY steps."threadId"
            LIMIT 1
        )
    ) IS NOT NULL AS waiting,
    found.id AS id,
    found.created_at AS created_at,
    SUBSTR(found.name, 1, 300) AS name,
    found.user_id AS user_id,
    COALESCE(
        (SELECT users."identifier" FROM users WHERE users."id" = found.user_id),
        found.user_identifier
    ) AS user_identifier,
    found.tags AS tags,
    found.metadata AS metadata,
    found.last_activity_at AS last_activity_at
FROM (SELECT 1 AS one) AS always
LEFT JOIN (
    SELECT
        newest.id AS id,
        newest.created_at AS created_at,
        newest.name AS name,
        newest.user_id AS user_id,
        newest.user_identifier AS user_identifier,
        newest.tags AS tags,
        newest.metadata AS metadata,
        newest.last_activity_at AS last_activity_at
    FROM (
        SELECT
            threads."id" AS id,
            threads."createdAt" AS created_at,
            threads."name" AS name,
            threads."userId" AS user_id,
            threads."userIdentifier" AS user_identifier,
            threads."tags" AS tags,
            threads."metadata" AS metadata,
            threads."lastActivityAt" AS last_activity_at,
            threads."orgId" AS org_id,
            threads."product" AS product,
            threads."unindexed" AS unindexed
        FROM threads
        WHERE threads."userId" = :user_id
            AND threads."deletedAt" IS NULL
            AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
        ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
        LIMIT :reach
    ) AS newest
    WHERE (
        CAST(:any_org AS BOOLEAN)
        OR newest.org_id = CAST(:org AS TEXT)
        OR (CAST(:org AS TEXT) IS NULL AND newest.org_id IS NULL)
    )
        AND (CAST(:product AS TEXT) IS NULL OR newest.product = CAST(:product AS TEXT))
        AND (
            CAST(:feedback AS INTEGER) IS NULL
            OR EXISTS (
                SELECT 1
                FROM feedbacks
                WHERE feedbacks."threadId" = newest.id
                    AND feedbacks."value" = CAST(:feedback AS INTEGER)
                LIMIT 1 OFFSET 0
            )
        )
        AND EXISTS (
            SELECT 1
            FROM search_texts
            LEFT JOIN steps ON steps."id" = search_texts."stepId"
            WHERE search_texts."threadId" = newest.id
                AND '' || search_texts."text" LIKE CAST(:pattern AS TEXT) ESCAPE '!'
                AND CASE
                    WHEN search_texts."stepId" = '' THEN newest.unindexed = 0
                    ELSE steps."unindexed" = 0 AND steps."deletedAt" IS NULL AND NOT steps."private"
                        AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
                END
            LIMIT 1 OFFSET 0
        )
    ORDER BY newest.last_activity_at DESC, newest.id DESC
    LIMIT :count
) AS found ON TRUE
ORDER BY found.last_activity_at DESC, found.id DESC;

-- name: search_walk_of_everybody :many
-- Of everybody's threads, newest activity first, after a place in that order, those whose indexed title or messages
-- match a pattern; it looks at no more than `reach` threads. And whether anybody's titles or messages wait to be
-- indexed: always a row, without a thread where none matches. For words that are said often: OFFSET 0 keeps PostgreSQL
-- from reading everybody's texts, and the empty text from reading the trigram index for each thread. Carried by
-- threads_activity_idx, the primary keys, feedbacks_thread_idx, threads_unindexed_idx and steps_unindexed_idx.
SELECT
    COALESCE(
        (SELECT threads."id" FROM threads WHERE threads."unindexed" > 0 ORDER BY threads."id" LIMIT 1),
        (
            SELECT steps."threadId"
            FROM steps
            WHERE steps."unindexed" > 0
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
            ORDER BY steps."threadId"
            LIMIT 1
        )
    ) IS NOT NULL AS waiting,
    found.id AS id,
    found.created_at AS created_at,
    SUBSTR(found.name, 1, 300) AS name,
    found.user_id AS user_id,
    COALESCE(
        (SELECT users."identifier" FROM users WHERE users."id" = found.user_id),
        found.user_identifier
    ) AS user_identifier,
    found.tags AS tags,
    found.metadata AS metadata,
    found.last_activity_at AS last_activity_at
FROM (SELECT 1 AS one) AS always
LEFT JOIN (
    SELECT
        newest.id AS id,
        newest.created_at AS created_at,
        newest.name AS name,
        newest.user_id AS user_id,
        newest.user_identifier AS user_identifier,
        newest.tags AS tags,
        newest.metadata AS metadata,
        newest.last_activity_at AS last_activity_at
    FROM (
        SELECT
            threads."id" AS id,
            threads."createdAt" AS created_at,
            threads."name" AS name,
            threads."userId" AS user_id,
            threads."userIdentifier" AS user_identifier,
            threads."tags" AS tags,
            threads."metadata" AS metadata,
            threads."lastActivityAt" AS last_activity_at,
            threads."orgId" AS org_id,
            threads."product" AS product,
            threads."unindexed" AS unindexed
        FROM threads
        WHERE threads."deletedAt" IS NULL
            AND (threads."lastActivityAt", threads."id") < (CAST(:before_activity AS TEXT), CAST(:before_id AS TEXT))
        ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
        LIMIT :reach
    ) AS newest
    WHERE (
        CAST(:any_org AS BOOLEAN)
        OR newest.org_id = CAST(:org AS TEXT)
        OR (CAST(:org AS TEXT) IS NULL AND newest.org_id IS NULL)
    )
        AND (CAST(:product AS TEXT) IS NULL OR newest.product = CAST(:product AS TEXT))
        AND (
            CAST(:feedback AS INTEGER) IS NULL
            OR EXISTS (
                SELECT 1
                FROM feedbacks
                WHERE feedbacks."threadId" = newest.id
                    AND feedbacks."value" = CAST(:feedback AS INTEGER)
                LIMIT 1 OFFSET 0
            )
        )
        AND EXISTS (
            SELECT 1
            FROM search_texts
            LEFT JOIN steps ON steps."id" = search_texts."stepId"
            WHERE search_texts."threadId" = newest.id
                AND '' || search_texts."text" LIKE CAST(:pattern AS TEXT) ESCAPE '!'
                AND CASE
                    WHEN search_texts."stepId" = '' THEN newest.unindexed = 0
                    ELSE steps."unindexed" = 0 AND steps."deletedAt" IS NULL AND NOT steps."private"
                        AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
                END
            LIMIT 1 OFFSET 0
        )
    ORDER BY newest.last_activity_at DESC, newest.id DESC
    LIMIT :count
) AS found ON TRUE
ORDER BY found.last_activity_at DESC, found.id DESC;

-- name: search_threads :many
-- Threads that were found, newest activity first; names cut to 300 characters. Carried by the primary keys.
-- expands: ids
SELECT
    threads."id" AS id,
    threads."createdAt" AS created_at,
    SUBSTR(threads."name", 1, 300) AS name,
    threads."userId" AS user_id,
    COALESCE(users."identifier", threads."userIdentifier") AS user_identifier,
    threads."tags" AS tags,
    threads."metadata" AS metadata,
    threads."lastActivityAt" AS last_activity_at
FROM threads
LEFT JOIN users ON users."id" = threads."userId"
WHERE threads."id" IN :ids
ORDER BY threads."lastActivityAt" DESC, threads."id" DESC;

-- name: search_hits :many
-- Of these threads the newest messages that match a pattern, at most so many of each thread, and all that the search
-- index has not seen, as they were said. Carried by the primary keys and steps_unindexed_idx.
-- expands: ids
SELECT hits.thread_id AS thread_id, hits.id AS id, hits.text AS text
FROM (
    SELECT
        steps."threadId" AS thread_id,
        steps."id" AS id,
        steps."output" AS text,
        steps."createdAt" AS created_at,
        ROW_NUMBER() OVER (
            PARTITION BY steps."threadId"
            ORDER BY steps."createdAt" DESC, steps."position" DESC
        ) AS place
    FROM search_texts
    JOIN steps ON steps."id" = search_texts."stepId"
    WHERE search_texts."threadId" IN :ids
        AND '' || search_texts."text" LIKE CAST(:pattern AS TEXT) ESCAPE '!'
        AND steps."unindexed" = 0
        AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
        AND steps."deletedAt" IS NULL
        AND NOT steps."private"
    UNION ALL
    SELECT steps."threadId", steps."id", steps."output", steps."createdAt", 0
    FROM steps
    WHERE steps."threadId" IN :ids
        AND steps."unindexed" > 0
        AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
        AND steps."deletedAt" IS NULL
        AND NOT steps."private"
) AS hits
WHERE hits.place <= :most
ORDER BY hits.created_at DESC, hits.id DESC;
