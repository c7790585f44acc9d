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
