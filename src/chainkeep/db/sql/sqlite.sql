-- name: model_usage :many
-- Calls, tokens and seconds by model, of a thread or of all of an owner's, within a time; a message is left out where
-- the call that made it is a step beside it. SQLite reads JSON with functions of its own. Carried by the primary key,
-- users_identifier_key, threads_user_activity_idx and steps_thread_created_idx.
WITH chosen AS (
    SELECT threads."id" AS id
    FROM threads
    WHERE threads."id" = CAST(:thread_id AS TEXT)
        AND threads."deletedAt" IS NULL
    UNION ALL
    SELECT threads."id" AS id
    FROM threads
    WHERE threads."userId" = (SELECT users."id" FROM users WHERE users."identifier" = CAST(:owner AS TEXT))
        AND threads."deletedAt" IS NULL
),
made AS (
    SELECT
        steps."id" AS id,
        steps."parentId" AS parent_id,
        steps."type" AS type,
        steps."start" AS start_at,
        steps."end" AS end_at,
        CASE WHEN json_type(steps."generation") = 'object' THEN steps."generation" ELSE '{}' END AS generation
    FROM chosen
    JOIN steps ON steps."threadId" = chosen.id
    WHERE steps."generation" IS NOT NULL
        AND steps."deletedAt" IS NULL
        AND steps."createdAt" >= CAST(:since AS TEXT)
        AND steps."createdAt" < CAST(:until AS TEXT)
),
call AS (
    SELECT
        made.id AS id,
        made.parent_id AS parent_id,
        made.type AS type,
        json_extract(made.generation, '$.model') AS model,
        CASE WHEN typeof(json_extract(made.generation, '$.inputTokenCount')) IN ('integer', 'real') THEN json_extract(made.generation, '$.inputTokenCount') END AS asked,
        CASE WHEN typeof(json_extract(made.generation, '$.outputTokenCount')) IN ('integer', 'real') THEN json_extract(made.generation, '$.outputTokenCount') END AS answered,
        CASE WHEN typeof(json_extract(made.generation, '$.tokenCount')) IN ('integer', 'real') THEN json_extract(made.generation, '$.tokenCount') END AS counted,
        COALESCE(
            CASE WHEN typeof(json_extract(made.generation, '$.duration')) IN ('integer', 'real') THEN json_extract(made.generation, '$.duration') END,
            CASE WHEN made.type = 'llm' THEN (julianday(made.end_at) - julianday(made.start_at)) / (1.0 / 86400) END
        ) AS seconds
    FROM made
)
SELECT
    call.model AS model,
    COUNT(call.id) AS calls,
    SUM(COALESCE(call.asked, 0)) AS prompt_tokens,
    SUM(COALESCE(call.answered, 0)) AS completion_tokens,
    SUM(COALESCE(call.counted, COALESCE(call.asked, 0) + COALESCE(call.answered, 0))) AS total_tokens,
    SUM(CASE WHEN call.seconds > 0 THEN 1 ELSE 0 END) AS timed,
    SUM(CASE WHEN call.seconds > 0 THEN call.seconds ELSE 0 END) AS seconds
FROM call
WHERE call.type = 'llm'
    OR NOT EXISTS (
        SELECT 1
        FROM call AS beside
        WHERE beside.type = 'llm'
            AND beside.parent_id = call.parent_id
            AND beside.model = call.model
    )
GROUP BY call.model
ORDER BY call.model;

-- name: tool_usage :many
-- How often each tool was called, by assistants and in the UI, in a thread or in all of an owner's, within a time; a
-- tool's message that answers a call is that call. SQLite reads JSON with functions of its own.
-- Carried by the primary key, users_identifier_key, threads_user_activity_idx and steps_thread_created_idx.
WITH chosen AS (
    SELECT threads."id" AS id
    FROM threads
    WHERE threads."id" = CAST(:thread_id AS TEXT)
        AND threads."deletedAt" IS NULL
    UNION ALL
    SELECT threads."id" AS id
    FROM threads
    WHERE threads."userId" = (SELECT users."id" FROM users WHERE users."identifier" = CAST(:owner AS TEXT))
        AND threads."deletedAt" IS NULL
),
spoken AS (
    SELECT
        steps."threadId" AS thread_id,
        steps."type" AS type,
        steps."name" AS name,
        steps."toolCallId" AS tool_call_id,
        steps."ext" AS ext
    FROM chosen
    JOIN steps ON steps."threadId" = chosen.id
    WHERE steps."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
        AND steps."deletedAt" IS NULL
        AND steps."createdAt" >= CAST(:since AS TEXT)
        AND steps."createdAt" < CAST(:until AS TEXT)
),
call AS (
    SELECT
        spoken.thread_id AS thread_id,
        json_extract(item.value, '$.id') AS id,
        json_extract(item.value, '$.function.name') AS name
    FROM spoken
    JOIN json_each(spoken.ext, '$.toolCalls') AS item
),
used AS (
    SELECT call.name AS name
    FROM call
    UNION ALL
    SELECT spoken.name AS name
    FROM spoken
    WHERE spoken.type = 'tool'
        AND NOT EXISTS (
            SELECT 1
            FROM call
            WHERE call.thread_id = spoken.thread_id
                AND call.id = spoken.tool_call_id
        )
)
SELECT used.name AS name, COUNT(used.name) AS uses
FROM used
GROUP BY used.name
ORDER BY used.name;

-- name: message_counts :many
-- How many messages each role has, in a thread or in all of an owner's, within a time. PostgreSQL has to be kept from
-- reading everybody's steps. Carried by the primary key, users_identifier_key, threads_user_activity_idx and
-- steps_thread_created_idx.
WITH chosen AS (
    SELECT threads."id" AS id
    FROM threads
    WHERE threads."id" = CAST(:thread_id AS TEXT)
        AND threads."deletedAt" IS NULL
    UNION ALL
    SELECT threads."id" AS id
    FROM threads
    WHERE threads."userId" = (SELECT users."id" FROM users WHERE users."identifier" = CAST(:owner AS TEXT))
        AND threads."deletedAt" IS NULL
)
SELECT
    COALESCE(steps."role", CASE steps."type"
        WHEN 'user_message' THEN 'user'
        WHEN 'assistant_message' THEN 'assistant'
        WHEN 'system_message' THEN 'system'
        ELSE 'tool'
    END) AS role,
    COUNT(steps."id") AS messages
FROM chosen
JOIN steps ON steps."threadId" = chosen.id
WHERE steps."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
    AND steps."deletedAt" IS NULL
    AND steps."createdAt" >= CAST(:since AS TEXT)
    AND steps."createdAt" < CAST(:until AS TEXT)
GROUP BY 1
ORDER BY 1;
