-- name: model_usage :many
-- Calls, tokens and seconds by model, of a thread or of all of an owner's, within a time; a message is left out where
-- the call that made it is a step beside it. PostgreSQL reads JSON with operators of its own, and no escaped NUL.
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
made AS (
    SELECT
        step.id AS id,
        step.parent_id AS parent_id,
        step.type AS type,
        step.start_at AS start_at,
        step.end_at AS end_at,
        CAST(REPLACE(step.generation, '\u0000', '\u0001') AS JSON) AS generation
    FROM chosen
    CROSS JOIN LATERAL (
        -- OFFSET 0 keeps PostgreSQL from reading everybody's steps.
        SELECT
            steps."id" AS id,
            steps."parentId" AS parent_id,
            steps."type" AS type,
            steps."start" AS start_at,
            steps."end" AS end_at,
            steps."generation" AS generation
        FROM steps
        WHERE steps."threadId" = chosen.id
            AND steps."generation" IS NOT NULL
            AND steps."deletedAt" IS NULL
            AND steps."createdAt" >= CAST(:since AS TEXT)
            AND steps."createdAt" < CAST(:until AS TEXT)
        OFFSET 0
    ) AS step
),
call AS (
    SELECT
        made.id AS id,
        made.parent_id AS parent_id,
        made.type AS type,
        made.generation ->> 'model' AS model,
        CASE WHEN made.generation ->> 'inputTokenCount' ~ '^[0-9]+([.][0-9]+)?$' THEN CAST(made.generation ->> 'inputTokenCount' AS NUMERIC) END AS asked,
        CASE WHEN made.generation ->> 'outputTokenCount' ~ '^[0-9]+([.][0-9]+)?$' THEN CAST(made.generation ->> 'outputTokenCount' AS NUMERIC) END AS answered,
        CASE WHEN made.generation ->> 'tokenCount' ~ '^[0-9]+([.][0-9]+)?$' THEN CAST(made.generation ->> 'tokenCount' AS NUMERIC) END AS counted,
        COALESCE(
            CASE WHEN made.generation ->> 'duration' ~ '^[0-9]+([.][0-9]+)?$' THEN CAST(made.generation ->> 'duration' AS NUMERIC) END,
            CASE WHEN made.type = 'llm' THEN EXTRACT(EPOCH FROM CAST(made.end_at AS TIMESTAMPTZ) - CAST(made.start_at AS TIMESTAMPTZ)) END
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
-- tool's message that answers a call is that call. PostgreSQL reads JSON with operators of its own, and no escaped NUL.
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
        step.thread_id AS thread_id,
        step.type AS type,
        step.name AS name,
        step.tool_call_id AS tool_call_id,
        CAST(REPLACE(step.ext, '\u0000', '\u0001') AS JSON) -> 'toolCalls' AS tool_calls
    FROM chosen
    CROSS JOIN LATERAL (
        -- OFFSET 0 keeps PostgreSQL from reading everybody's steps.
        SELECT
            steps."threadId" AS thread_id,
            steps."type" AS type,
            steps."name" AS name,
            steps."toolCallId" AS tool_call_id,
            steps."ext" AS ext
        FROM steps
        WHERE steps."threadId" = chosen.id
            AND steps."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
            AND steps."deletedAt" IS NULL
            AND steps."createdAt" >= CAST(:since AS TEXT)
            AND steps."createdAt" < CAST(:until AS TEXT)
        OFFSET 0
    ) AS step
),
call AS (
    SELECT
        spoken.thread_id AS thread_id,
        item.value ->> 'id' AS id,
        item.value -> 'function' ->> 'name' AS name
    FROM spoken
    CROSS JOIN LATERAL json_array_elements(
        CASE WHEN json_typeof(spoken.tool_calls) = 'array' THEN spoken.tool_calls END
    ) AS item (value)
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
    COALESCE(step.role, CASE step.type
        WHEN 'user_message' THEN 'user'
        WHEN 'assistant_message' THEN 'assistant'
        WHEN 'system_message' THEN 'system'
        ELSE 'tool'
    END) AS role,
    COUNT(step.id) AS messages
FROM chosen
CROSS JOIN LATERAL (
    SELECT steps."id" AS id, steps."type" AS type, steps."role" AS role
    FROM steps
    WHERE steps."threadId" = chosen.id
        AND steps."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
        AND steps."deletedAt" IS NULL
        AND steps."createdAt" >= CAST(:since AS TEXT)
        AND steps."createdAt" < CAST(:until AS TEXT)
    OFFSET 0
) AS step
GROUP BY 1
ORDER BY 1;
