-- name: figures :many
-- What a thread, or all in a scope, took within a time: of kind model the calls, tokens and seconds, of kind tool and role
-- how often. A message is left out of the calls where the call that made it is a step beside it, and a tool's message
-- that answers a call is that call. PostgreSQL reads JSON with operators of its own, and no escaped NUL; OFFSET 0 keeps
-- it from reading everybody's steps. Carried by the primary keys, the indexes of the lists, and steps_thread_created_idx.
WITH chosen AS (
    SELECT narrowest.id AS id
    FROM (
        SELECT
            threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
            threads."deletedAt" AS deleted_at
        FROM threads
        WHERE threads."id" = CAST(:thread_id AS TEXT)
        UNION ALL
        SELECT
            threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
            threads."deletedAt" AS deleted_at
        FROM threads
        WHERE threads."userId" = (SELECT users."id" FROM users WHERE users."identifier" = CAST(:owner AS TEXT))
            AND CAST(:thread_id AS TEXT) IS NULL
        UNION ALL
        SELECT
            threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
            threads."deletedAt" AS deleted_at
        FROM threads
        WHERE threads."orgId" = CASE
            WHEN COALESCE(CAST(:thread_id AS TEXT), CAST(:owner AS TEXT)) IS NULL THEN CAST(:org AS TEXT)
        END
        UNION ALL
        SELECT
            threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
            threads."deletedAt" AS deleted_at
        FROM threads
        WHERE threads."product" = CASE
            WHEN COALESCE(CAST(:thread_id AS TEXT), CAST(:owner AS TEXT), CAST(:org AS TEXT)) IS NULL
                THEN CAST(:product AS TEXT)
        END
        UNION ALL
        SELECT
            threads."id" AS id, threads."orgId" AS org_id, threads."product" AS product,
            threads."deletedAt" AS deleted_at
        FROM threads
        WHERE threads."lastActivityAt" > CASE
            WHEN COALESCE(CAST(:thread_id AS TEXT), CAST(:owner AS TEXT), CAST(:org AS TEXT), CAST(:product AS TEXT))
                IS NULL THEN ''
        END
    ) AS narrowest
    WHERE narrowest.deleted_at IS NULL
        AND (
            CAST(:any_org AS BOOLEAN)
            OR narrowest.org_id = CAST(:org AS TEXT)
            OR (narrowest.org_id IS NULL AND CAST(:org AS TEXT) IS NULL)
        )
        AND (CAST(:product AS TEXT) IS NULL OR narrowest.product = CAST(:product AS TEXT))
),
done AS MATERIALIZED (
    SELECT
        step.thread_id AS thread_id,
        step.parent_id AS parent_id,
        step.type AS type,
        COALESCE(step.role, CASE step.type
            WHEN 'user_message' THEN 'user'
            WHEN 'assistant_message' THEN 'assistant'
            WHEN 'system_message' THEN 'system'
            WHEN 'tool' THEN 'tool'
        END) AS role,
        step.name AS name,
        step.tool_call_id AS tool_call_id,
        step.ext -> 'toolCalls' AS tool_calls,
        step.generation IS NOT NULL AS generated,
        CASE WHEN json_typeof(step.generation -> 'model') = 'string' THEN step.generation ->> 'model' END AS model,
        CASE WHEN json_typeof(step.generation -> 'inputTokenCount') = 'number' THEN CAST(step.generation ->> 'inputTokenCount' AS NUMERIC) END AS asked,
        CASE WHEN json_typeof(step.generation -> 'outputTokenCount') = 'number' THEN CAST(step.generation ->> 'outputTokenCount' AS NUMERIC) END AS answered,
        CASE WHEN json_typeof(step.generation -> 'tokenCount') = 'number' THEN CAST(step.generation ->> 'tokenCount' AS NUMERIC) END AS counted,
        COALESCE(
            CASE WHEN json_typeof(step.generation -> 'duration') = 'number' THEN CAST(step.generation ->> 'duration' AS NUMERIC) END,
            CASE WHEN step.type = 'llm' THEN EXTRACT(EPOCH FROM CAST(step.end_at AS TIMESTAMPTZ) - CAST(step.start_at AS TIMESTAMPTZ)) END
        ) AS seconds
    FROM chosen
    CROSS JOIN LATERAL (
        SELECT
            steps."threadId" AS thread_id,
            steps."parentId" AS parent_id,
            steps."type" AS type,
            steps."role" AS role,
            steps."name" AS name,
            steps."start" AS start_at,
            steps."end" AS end_at,
            steps."toolCallId" AS tool_call_id,
            CAST(REPLACE(steps."ext", '\u0000', '\u0001') AS JSON) AS ext,
            CAST(REPLACE(steps."generation", '\u0000', '\u0001') AS JSON) AS generation
        FROM steps
        WHERE steps."threadId" = chosen.id
            AND steps."deletedAt" IS NULL
            AND steps."createdAt" >= CAST(:since AS TEXT)
            AND steps."createdAt" < CAST(:until AS TEXT)
        OFFSET 0
    ) AS step
),
tool_call AS (
    SELECT
        done.thread_id AS thread_id,
        item.value ->> 'id' AS id,
        item.value -> 'function' ->> 'name' AS name
    FROM done
    CROSS JOIN LATERAL json_array_elements(
        CASE WHEN json_typeof(done.tool_calls) = 'array' THEN done.tool_calls END
    ) AS item (value)
),
call AS (
    SELECT
        done.model AS model,
        COALESCE(done.asked, 0) AS asked,
        COALESCE(done.answered, 0) AS answered,
        COALESCE(done.counted, COALESCE(done.asked, 0) + COALESCE(done.answered, 0)) AS counted,
        CASE WHEN done.seconds > 0 THEN done.seconds END AS seconds
    FROM done
    WHERE done.generated
        AND (
            done.type = 'llm'
            OR NOT COALESCE((done.parent_id, done.model) IN (
                SELECT made.parent_id, made.model
                FROM done AS made
                WHERE made.type = 'llm'
                    AND made.parent_id IS NOT NULL
                    AND made.model IS NOT NULL
            ), FALSE)
        )
),
tool_use AS (
    SELECT tool_call.name AS name
    FROM tool_call
    UNION ALL
    SELECT done.name AS name
    FROM done
    WHERE done.type = 'tool'
        AND NOT COALESCE((done.thread_id, done.tool_call_id) IN (
            SELECT tool_call.thread_id, tool_call.id
            FROM tool_call
            WHERE tool_call.id IS NOT NULL
        ), FALSE)
)
SELECT
    'model' AS kind,
    call.model AS name,
    COUNT(call.counted) AS uses,
    SUM(call.asked) AS prompt_tokens,
    SUM(call.answered) AS completion_tokens,
    SUM(call.counted) AS total_tokens,
    COUNT(call.seconds) AS timed,
    COALESCE(SUM(call.seconds), 0) AS seconds
FROM call
GROUP BY call.model
UNION ALL
SELECT 'tool', tool_use.name, COUNT(tool_use.name), 0, 0, 0, 0, 0
FROM tool_use
GROUP BY tool_use.name
UNION ALL
SELECT 'role', done.role, COUNT(done.role), 0, 0, 0, 0, 0
FROM done
WHERE done.role IS NOT NULL
GROUP BY done.role
ORDER BY kind, name;

-- name: wal_position :one
-- Where in its log the primary is: all that was committed before is before it. PostgreSQL's own log.
SELECT CAST(pg_current_wal_insert_lsn() AS TEXT) AS place;

-- name: wal_replayed :one
-- Whether this is a replica that has replayed the log as far as a place. PostgreSQL's own log.
SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(CAST(:place AS TEXT) AS PG_LSN) AS replayed;

-- name: search_index_state :one
-- Whether there is a trigram index, and whether it knows letters beyond ASCII, which the database's locale decides;
-- it never indexes signs. PostgreSQL tells by its catalog. Carried by the catalog's indexes.
SELECT
    EXISTS (
        SELECT 1
        FROM pg_catalog.pg_index
        WHERE pg_index.indexrelid = CAST(to_regclass('search_texts_trigram_idx') AS OID)
            AND pg_index.indisvalid
    ) AS ready,
    'я' ~ '\w' AS letters,
    FALSE AS signs;

-- name: search_found :many
-- Threads whose indexed title or messages match a pattern, newest activity first, after a place in that order;
-- a user's. And whether anybody's titles or messages wait to be indexed: always a row, without a thread where none
-- matches. For words that are said seldom. PostgreSQL finds the trigrams of a pattern itself. Carried by
-- search_texts_trigram_idx, the primary keys, feedbacks_thread_idx, threads_unindexed_idx and steps_unindexed_idx.
WITH indexed AS MATERIALIZED (
    SELECT search_texts."threadId" AS thread_id, search_texts."stepId" AS step_id
    FROM search_texts
    WHERE search_texts."owner" LIKE CAST(:owner AS TEXT)
        AND search_texts."text" LIKE CAST(:pattern AS TEXT) ESCAPE '!'
        AND CAST(:trigrams AS TEXT) IS NOT NULL
),
matching AS (
    SELECT DISTINCT indexed.thread_id AS id
    FROM indexed
    JOIN threads AS found ON found."id" = indexed.thread_id
    LEFT JOIN steps ON steps."id" = indexed.step_id
    WHERE found."userId" = CAST(:user_id AS TEXT)
        AND CASE
            WHEN indexed.step_id = '' THEN found."unindexed" = 0
            ELSE steps."unindexed" = 0 AND steps."deletedAt" IS NULL AND NOT steps."private"
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
        END
)
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
    FROM matching
    JOIN threads ON threads."id" = matching.id
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
-- Threads whose indexed title or messages match a pattern, newest activity first, after a place in that order;
-- everybody's. And whether anybody's titles or messages wait to be indexed: always a row, without a thread where none
-- matches. For words that are said seldom. PostgreSQL finds the trigrams of a pattern itself. Carried by
-- search_texts_trigram_idx, the primary keys, feedbacks_thread_idx, threads_unindexed_idx and steps_unindexed_idx.
WITH indexed AS MATERIALIZED (
    SELECT search_texts."threadId" AS thread_id, search_texts."stepId" AS step_id
    FROM search_texts
    WHERE search_texts."text" LIKE CAST(:pattern AS TEXT) ESCAPE '!'
        AND CAST(:trigrams AS TEXT) IS NOT NULL
),
matching AS (
    SELECT DISTINCT indexed.thread_id AS id
    FROM indexed
    JOIN threads AS found ON found."id" = indexed.thread_id
    LEFT JOIN steps ON steps."id" = indexed.step_id
    WHERE CASE
            WHEN indexed.step_id = '' THEN found."unindexed" = 0
            ELSE steps."unindexed" = 0 AND steps."deletedAt" IS NULL AND NOT steps."private"
                AND steps."type" IN ('user_message', 'assistant_message', 'system_message')
        END
)
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
    FROM matching
    JOIN threads ON threads."id" = matching.id
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

-- name: search_lock_steps :many
-- What these steps say now, as search_next_steps gives it, and whose they are. PostgreSQL locks them, and leaves
-- out those that are being written, so that nobody waits for anybody. Carried by the primary keys.
-- expands: ids
SELECT
    steps."id" AS id,
    CASE WHEN steps."deletedAt" IS NULL AND NOT steps."private" THEN steps."output" ELSE '' END AS text,
    COALESCE(threads."userId", '') AS user_id
FROM steps
LEFT JOIN threads ON threads."id" = steps."threadId"
WHERE steps."id" IN :ids
FOR NO KEY UPDATE OF steps SKIP LOCKED;

-- name: search_lock_threads :many
-- How many changes of these threads the search index has not seen, and whose they are. PostgreSQL locks them, and leaves
-- out those that are being written, so that nobody waits for anybody. Carried by the primary keys.
-- expands: ids
SELECT threads."id" AS id, threads."unindexed" AS unindexed, COALESCE(threads."userId", '') AS user_id
FROM threads
WHERE threads."id" IN :ids
FOR NO KEY UPDATE OF threads SKIP LOCKED;

-- name: step_put :one
-- Does what thread_touch and step_write do, for one step, and nothing at all where the step belongs to another thread;
-- how many steps were written. One statement instead of a transaction saves three waits for the server, and SQLite
-- has no server to wait for. Carried by the primary keys and users_identifier_key.
WITH touched AS (
    INSERT INTO threads ("id", "createdAt", "userId", "userIdentifier", "metadata", "lastActivityAt")
    SELECT
        CAST(:thread_id AS TEXT),
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
    WHERE NOT EXISTS (
        SELECT 1
        FROM steps
        WHERE steps."id" = CAST(:id AS TEXT)
            AND steps."threadId" <> CAST(:thread_id AS TEXT)
    )
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
    RETURNING "id"
),
written AS (
    INSERT INTO steps (
        "id",
        "threadId",
        "parentId",
        "type",
        "name",
        "input",
        "output",
        "createdAt",
        "start",
        "end",
        "command",
        "modes",
        "language",
        "streaming",
        "waitForAnswer",
        "isError",
        "showInput",
        "defaultOpen",
        "autoCollapse",
        "metadata",
        "tags",
        "generation",
        "extra",
        "favorite",
        "position",
        "revision"
    )
    SELECT
        CAST(:id AS TEXT),
        CAST(:thread_id AS TEXT),
        CAST(:parent_id AS TEXT),
        CAST(:type AS TEXT),
        CAST(:name AS TEXT),
        CAST(:input AS TEXT),
        CAST(:output AS TEXT),
        CAST(:created_at AS TEXT),
        CAST(:start AS TEXT),
        CAST(:end AS TEXT),
        CAST(:command AS TEXT),
        CAST(:modes AS TEXT),
        CAST(:language AS TEXT),
        CAST(:streaming AS BOOLEAN),
        CAST(:wait_for_answer AS BOOLEAN),
        CAST(:is_error AS BOOLEAN),
        CAST(:show_input AS TEXT),
        CAST(:default_open AS BOOLEAN),
        CAST(:auto_collapse AS BOOLEAN),
        CAST(:metadata AS TEXT),
        CAST(:tags AS TEXT),
        CAST(:generation AS TEXT),
        CAST(:extra AS TEXT),
        CAST(:favorite AS BOOLEAN),
        CAST(:position AS BIGINT),
        CAST(:updates AS BIGINT)
    FROM touched
    ON CONFLICT ("id") DO UPDATE SET
        "parentId" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|parent_id|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."parentId"
            ELSE steps."parentId"
        END,
        "type" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|type|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."type"
            ELSE steps."type"
        END,
        "name" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|name|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."name"
            ELSE steps."name"
        END,
        "input" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|input|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."input"
            ELSE steps."input"
        END,
        "output" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|output|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."output"
            ELSE steps."output"
        END,
        "createdAt" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|created_at|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."createdAt"
            ELSE steps."createdAt"
        END,
        "start" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|start|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."start"
            ELSE steps."start"
        END,
        "end" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|end|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."end"
            ELSE steps."end"
        END,
        "command" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|command|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."command"
            ELSE steps."command"
        END,
        "modes" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|modes|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."modes"
            ELSE steps."modes"
        END,
        "language" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|language|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."language"
            ELSE steps."language"
        END,
        "streaming" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|streaming|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."streaming"
            ELSE steps."streaming"
        END,
        "waitForAnswer" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|wait_for_answer|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."waitForAnswer"
            ELSE steps."waitForAnswer"
        END,
        "isError" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|is_error|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."isError"
            ELSE steps."isError"
        END,
        "showInput" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|show_input|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."showInput"
            ELSE steps."showInput"
        END,
        "defaultOpen" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|default_open|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."defaultOpen"
            ELSE steps."defaultOpen"
        END,
        "autoCollapse" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|auto_collapse|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."autoCollapse"
            ELSE steps."autoCollapse"
        END,
        "metadata" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|metadata|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."metadata"
            ELSE steps."metadata"
        END,
        "tags" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|tags|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."tags"
            ELSE steps."tags"
        END,
        "generation" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|generation|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."generation"
            ELSE steps."generation"
        END,
        "extra" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|extra|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."extra"
            ELSE steps."extra"
        END,
        "favorite" = CASE
            WHEN CAST(:given AS TEXT) LIKE '%|metadata|%' OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."favorite"
            ELSE steps."favorite"
        END,
        "unindexed" = CASE
            WHEN steps."unindexed" = 0
                AND (
                    CAST(:given AS TEXT) LIKE '%|output|%'
                    OR CAST(:given AS TEXT) LIKE '%|type|%'
                    OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                )
                THEN 1
            ELSE steps."unindexed"
        END,
        "revision" = steps."revision" + excluded."revision"
    WHERE steps."threadId" = excluded."threadId"
        AND steps."deletedAt" IS NULL
    RETURNING "id"
)
SELECT COUNT(written."id") AS written
FROM written;

-- name: steps_put :one
-- Does what step_put does for many steps, each bind a list of what it is in them; no thread is touched twice, and each
-- touch has an activity. How many steps were written: nothing at all where one belongs to another thread, and fewer than there are
-- where somebody else makes one meanwhile. What is there already is not an insertion's conflict, because only an update
-- sees what `given` says of its row. A list is read by a SELECT of its own so that PostgreSQL plans alike for short and
-- long ones, and keeps the plan; for one step, this takes longer than step_put. Carried by the primary keys and
-- users_identifier_key.
WITH step AS MATERIALIZED (
    SELECT
        handed."id",
        handed."threadId",
        handed."parentId",
        handed."type",
        handed."name",
        handed."input",
        handed."output",
        handed."createdAt",
        handed."start",
        handed."end",
        handed."command",
        handed."modes",
        handed."language",
        handed."streaming",
        handed."waitForAnswer",
        handed."isError",
        handed."showInput",
        handed."defaultOpen",
        handed."autoCollapse",
        handed."metadata",
        handed."tags",
        handed."generation",
        handed."extra",
        handed."favorite",
        handed."position",
        handed."revision",
        handed.given,
        handed.created,
        steps."threadId" AS stored_in
    FROM unnest(
        (SELECT CAST(:id AS TEXT[])),
        (SELECT CAST(:thread_id AS TEXT[])),
        (SELECT CAST(:parent_id AS TEXT[])),
        (SELECT CAST(:type AS TEXT[])),
        (SELECT CAST(:name AS TEXT[])),
        (SELECT CAST(:input AS TEXT[])),
        (SELECT CAST(:output AS TEXT[])),
        (SELECT CAST(:created_at AS TEXT[])),
        (SELECT CAST(:start AS TEXT[])),
        (SELECT CAST(:end AS TEXT[])),
        (SELECT CAST(:command AS TEXT[])),
        (SELECT CAST(:modes AS TEXT[])),
        (SELECT CAST(:language AS TEXT[])),
        (SELECT CAST(:streaming AS BOOLEAN[])),
        (SELECT CAST(:wait_for_answer AS BOOLEAN[])),
        (SELECT CAST(:is_error AS BOOLEAN[])),
        (SELECT CAST(:show_input AS TEXT[])),
        (SELECT CAST(:default_open AS BOOLEAN[])),
        (SELECT CAST(:auto_collapse AS BOOLEAN[])),
        (SELECT CAST(:metadata AS TEXT[])),
        (SELECT CAST(:tags AS TEXT[])),
        (SELECT CAST(:generation AS TEXT[])),
        (SELECT CAST(:extra AS TEXT[])),
        (SELECT CAST(:favorite AS BOOLEAN[])),
        (SELECT CAST(:position AS BIGINT[])),
        (SELECT CAST(:updates AS BIGINT[])),
        (SELECT CAST(:given AS TEXT[])),
        (SELECT CAST(:created AS BOOLEAN[]))
    ) AS handed (
        "id",
        "threadId",
        "parentId",
        "type",
        "name",
        "input",
        "output",
        "createdAt",
        "start",
        "end",
        "command",
        "modes",
        "language",
        "streaming",
        "waitForAnswer",
        "isError",
        "showInput",
        "defaultOpen",
        "autoCollapse",
        "metadata",
        "tags",
        "generation",
        "extra",
        "favorite",
        "position",
        "revision",
        given,
        created
    )
    LEFT JOIN steps ON steps."id" = handed."id"
),
touched AS (
    INSERT INTO threads ("id", "createdAt", "userId", "userIdentifier", "metadata", "lastActivityAt")
    SELECT
        touch.id,
        touch.created_at,
        COALESCE(
            touch.user_id,
            (SELECT users."id" FROM users WHERE users."identifier" = touch.user_identifier)
        ),
        COALESCE(
            touch.user_identifier,
            (SELECT users."identifier" FROM users WHERE users."id" = touch.user_id)
        ),
        '{}',
        touch.activity_at
    FROM unnest(
        (SELECT CAST(:touched AS TEXT[])),
        (SELECT CAST(:touched_at AS TEXT[])),
        (SELECT CAST(:activity_at AS TEXT[])),
        (SELECT CAST(:user_id AS TEXT[])),
        (SELECT CAST(:user_identifier AS TEXT[]))
    ) AS touch (id, created_at, activity_at, user_id, user_identifier)
    WHERE NOT EXISTS (
        SELECT 1
        FROM step
        WHERE step.stored_in <> step."threadId"
    )
    ON CONFLICT ("id") DO UPDATE SET
        "lastActivityAt" = CASE
            WHEN excluded."lastActivityAt" > threads."lastActivityAt" THEN excluded."lastActivityAt"
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
    RETURNING "id"
),
made AS (
    INSERT INTO steps (
        "id",
        "threadId",
        "parentId",
        "type",
        "name",
        "input",
        "output",
        "createdAt",
        "start",
        "end",
        "command",
        "modes",
        "language",
        "streaming",
        "waitForAnswer",
        "isError",
        "showInput",
        "defaultOpen",
        "autoCollapse",
        "metadata",
        "tags",
        "generation",
        "extra",
        "favorite",
        "position",
        "revision"
    )
    SELECT
        step."id",
        step."threadId",
        step."parentId",
        step."type",
        step."name",
        step."input",
        step."output",
        step."createdAt",
        step."start",
        step."end",
        step."command",
        step."modes",
        step."language",
        step."streaming",
        step."waitForAnswer",
        step."isError",
        step."showInput",
        step."defaultOpen",
        step."autoCollapse",
        step."metadata",
        step."tags",
        step."generation",
        step."extra",
        step."favorite",
        step."position",
        step."revision"
    FROM step
    INNER JOIN touched ON touched."id" = step."threadId"
    WHERE step.stored_in IS NULL
    ON CONFLICT ("id") DO NOTHING
    RETURNING "id"
),
changed AS (
    UPDATE steps SET
        "parentId" = CASE
            WHEN step.given LIKE '%|parent_id|%' OR (step.created AND steps."revision" = 0)
                THEN step."parentId"
            ELSE steps."parentId"
        END,
        "type" = CASE
            WHEN step.given LIKE '%|type|%' OR (step.created AND steps."revision" = 0)
                THEN step."type"
            ELSE steps."type"
        END,
        "name" = CASE
            WHEN step.given LIKE '%|name|%' OR (step.created AND steps."revision" = 0)
                THEN step."name"
            ELSE steps."name"
        END,
        "input" = CASE
            WHEN step.given LIKE '%|input|%' OR (step.created AND steps."revision" = 0)
                THEN step."input"
            ELSE steps."input"
        END,
        "output" = CASE
            WHEN step.given LIKE '%|output|%' OR (step.created AND steps."revision" = 0)
                THEN step."output"
            ELSE steps."output"
        END,
        "createdAt" = CASE
            WHEN step.given LIKE '%|created_at|%' OR (step.created AND steps."revision" = 0)
                THEN step."createdAt"
            ELSE steps."createdAt"
        END,
        "start" = CASE
            WHEN step.given LIKE '%|start|%' OR (step.created AND steps."revision" = 0)
                THEN step."start"
            ELSE steps."start"
        END,
        "end" = CASE
            WHEN step.given LIKE '%|end|%' OR (step.created AND steps."revision" = 0)
                THEN step."end"
            ELSE steps."end"
        END,
        "command" = CASE
            WHEN step.given LIKE '%|command|%' OR (step.created AND steps."revision" = 0)
                THEN step."command"
            ELSE steps."command"
        END,
        "modes" = CASE
            WHEN step.given LIKE '%|modes|%' OR (step.created AND steps."revision" = 0)
                THEN step."modes"
            ELSE steps."modes"
        END,
        "language" = CASE
            WHEN step.given LIKE '%|language|%' OR (step.created AND steps."revision" = 0)
                THEN step."language"
            ELSE steps."language"
        END,
        "streaming" = CASE
            WHEN step.given LIKE '%|streaming|%' OR (step.created AND steps."revision" = 0)
                THEN step."streaming"
            ELSE steps."streaming"
        END,
        "waitForAnswer" = CASE
            WHEN step.given LIKE '%|wait_for_answer|%' OR (step.created AND steps."revision" = 0)
                THEN step."waitForAnswer"
            ELSE steps."waitForAnswer"
        END,
        "isError" = CASE
            WHEN step.given LIKE '%|is_error|%' OR (step.created AND steps."revision" = 0)
                THEN step."isError"
            ELSE steps."isError"
        END,
        "showInput" = CASE
            WHEN step.given LIKE '%|show_input|%' OR (step.created AND steps."revision" = 0)
                THEN step."showInput"
            ELSE steps."showInput"
        END,
        "defaultOpen" = CASE
            WHEN step.given LIKE '%|default_open|%' OR (step.created AND steps."revision" = 0)
                THEN step."defaultOpen"
            ELSE steps."defaultOpen"
        END,
        "autoCollapse" = CASE
            WHEN step.given LIKE '%|auto_collapse|%' OR (step.created AND steps."revision" = 0)
                THEN step."autoCollapse"
            ELSE steps."autoCollapse"
        END,
        "metadata" = CASE
            WHEN step.given LIKE '%|metadata|%' OR (step.created AND steps."revision" = 0)
                THEN step."metadata"
            ELSE steps."metadata"
        END,
        "tags" = CASE
            WHEN step.given LIKE '%|tags|%' OR (step.created AND steps."revision" = 0)
                THEN step."tags"
            ELSE steps."tags"
        END,
        "generation" = CASE
            WHEN step.given LIKE '%|generation|%' OR (step.created AND steps."revision" = 0)
                THEN step."generation"
            ELSE steps."generation"
        END,
        "extra" = CASE
            WHEN step.given LIKE '%|extra|%' OR (step.created AND steps."revision" = 0)
                THEN step."extra"
            ELSE steps."extra"
        END,
        "favorite" = CASE
            WHEN step.given LIKE '%|metadata|%' OR (step.created AND steps."revision" = 0)
                THEN step."favorite"
            ELSE steps."favorite"
        END,
        "unindexed" = CASE
            WHEN steps."unindexed" = 0
                AND (
                    step.given LIKE '%|output|%'
                    OR step.given LIKE '%|type|%'
                    OR (step.created AND steps."revision" = 0)
                )
                THEN 1
            ELSE steps."unindexed"
        END,
        "revision" = steps."revision" + step."revision"
    FROM step
    INNER JOIN touched ON touched."id" = step."threadId"
    WHERE steps."id" = step."id"
        AND step.stored_in = step."threadId"
        AND steps."deletedAt" IS NULL
    RETURNING steps."id"
)
SELECT (SELECT COUNT(made."id") FROM made) + (SELECT COUNT(changed."id") FROM changed) AS written;

-- name: thread_erase :many
-- Removes all that is in a thread and notes that its blobs are to go, as thread_clear_feedbacks, thread_clear_reactions,
-- thread_clear_summaries, thread_clear_roles, thread_forget_facts, thread_clear_elements, thread_clear_steps and
-- blob_deletion_request do; the blobs' keys. One statement saves eight waits for the server, and SQLite has no server to
-- wait for. Runs after thread_delete, so that it sees the last write that got the thread before. The steps' ids are
-- one array, or PostgreSQL would read everybody's votes and reactions where they are not many yet. Carried by
-- elements_thread_idx, steps_thread_created_idx, feedbacks_thread_idx, feedbacks_for_key, message_summaries_thread_idx,
-- thread_facts_thread_idx and the primary keys.
WITH said AS (
    DELETE FROM steps
    WHERE "threadId" = CAST(:thread_id AS TEXT)
    RETURNING "id"
),
voted AS (
    DELETE FROM feedbacks
    WHERE "threadId" = CAST(:thread_id AS TEXT)
        OR "forId" = ANY (ARRAY(SELECT said."id" FROM said))
),
reacted AS (
    DELETE FROM reactions
    WHERE "stepId" = ANY (ARRAY(SELECT said."id" FROM said))
),
summarized AS (
    DELETE FROM message_summaries
    WHERE "threadId" = CAST(:thread_id AS TEXT)
),
spoken AS (
    DELETE FROM thread_roles
    WHERE "threadId" = CAST(:thread_id AS TEXT)
),
known AS (
    DELETE FROM thread_facts
    WHERE "threadId" = CAST(:thread_id AS TEXT)
),
shown AS (
    DELETE FROM elements
    WHERE "threadId" = CAST(:thread_id AS TEXT)
    RETURNING "objectKey", "position", "deletedAt"
),
file AS (
    SELECT shown."objectKey" AS object_key, shown."position" AS position
    FROM shown
    WHERE shown."objectKey" <> ''
        AND shown."deletedAt" IS NULL
),
requested AS (
    INSERT INTO blob_deletions ("objectKey", "requestedAt")
    SELECT file.object_key, CAST(:requested_at AS TEXT)
    FROM file
    ON CONFLICT ("objectKey") DO NOTHING
)
SELECT file.object_key AS object_key
FROM file
ORDER BY file.position;
