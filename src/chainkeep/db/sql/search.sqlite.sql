-- name: search_found :many
-- Threads whose indexed title or messages hold some trigrams and match a pattern, newest activity first, after a place
-- in that order; a user's. And whether anybody's titles or messages wait to be indexed: always a row, without a thread
-- where none matches. For words that are said seldom. SQLite's trigrams are a table to be joined, and CROSS keeps it
-- from trying each of the threads instead. Carried by
-- search_index, search_texts_number_key, the primary keys, feedbacks_thread_idx, threads_unindexed_idx and
-- steps_unindexed_idx.
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
        threads."id" AS id,
        threads."createdAt" AS created_at,
        threads."name" AS name,
        threads."userId" AS user_id,
        threads."userIdentifier" AS user_identifier,
        threads."tags" AS tags,
        threads."metadata" AS metadata,
        threads."lastActivityAt" AS last_activity_at
    FROM (
        SELECT DISTINCT search_texts."threadId" AS id
        FROM search_index
        CROSS JOIN search_texts ON search_texts."number" = search_index.rowid
        CROSS JOIN threads AS found ON found."id" = search_texts."threadId"
        LEFT JOIN steps ON steps."id" = search_texts."stepId"
        WHERE search_index MATCH '"' || CAST(:owner AS TEXT) || '" AND ' || CAST(:trigrams AS TEXT)
            AND search_texts."text" LIKE CAST(:pattern AS TEXT) ESCAPE '!'
            AND found."userId" = CAST(:user_id AS TEXT)
            AND CASE
                WHEN search_texts."stepId" = '' THEN found."unindexed" = 0
                ELSE steps."unindexed" = 0 AND steps."deletedAt" IS NULL AND NOT steps."private"
                    AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
            END
    ) AS matching
    CROSS JOIN threads ON threads."id" = matching.id
    WHERE threads."userId" = CAST(:user_id AS TEXT)
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
    ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
    LIMIT :count
) AS found ON TRUE
ORDER BY found.last_activity_at DESC, found.id DESC;

-- name: search_found_of_everybody :many
-- Threads whose indexed title or messages hold some trigrams and match a pattern, newest activity first, after a place
-- in that order; everybody's. And whether anybody's titles or messages wait to be indexed: always a row, without a thread
-- where none matches. For words that are said seldom. SQLite's trigrams are a table to be joined, and CROSS keeps it
-- from trying each of the threads instead. Carried by
-- search_index, search_texts_number_key, the primary keys, feedbacks_thread_idx, threads_unindexed_idx and
-- steps_unindexed_idx.
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
        threads."id" AS id,
        threads."createdAt" AS created_at,
        threads."name" AS name,
        threads."userId" AS user_id,
        threads."userIdentifier" AS user_identifier,
        threads."tags" AS tags,
        threads."metadata" AS metadata,
        threads."lastActivityAt" AS last_activity_at
    FROM (
        SELECT DISTINCT search_texts."threadId" AS id
        FROM search_index
        CROSS JOIN search_texts ON search_texts."number" = search_index.rowid
        CROSS JOIN threads AS found ON found."id" = search_texts."threadId"
        LEFT JOIN steps ON steps."id" = search_texts."stepId"
        WHERE search_index MATCH CAST(:trigrams AS TEXT)
            AND search_texts."text" LIKE CAST(:pattern AS TEXT) ESCAPE '!'
            AND CASE
                WHEN search_texts."stepId" = '' THEN found."unindexed" = 0
                ELSE steps."unindexed" = 0 AND steps."deletedAt" IS NULL AND NOT steps."private"
                    AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
            END
    ) AS matching
    CROSS JOIN threads ON threads."id" = matching.id
    WHERE threads."deletedAt" IS NULL
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
    ORDER BY threads."lastActivityAt" DESC, threads."id" DESC
    LIMIT :count
) AS found ON TRUE
ORDER BY found.last_activity_at DESC, found.id DESC;
