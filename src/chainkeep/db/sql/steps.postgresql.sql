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
-- touch has an activity. How many steps were written: nothing at all where one belongs to another thread, and fewer
-- than there are where somebody else makes one meanwhile. What is there already is not an insertion's conflict, because
-- only an update sees what `given` says of its row. A list is read by a SELECT of its own so that PostgreSQL plans
-- alike for short and long ones, and keeps the plan; a list that is null stands for nulls alone. For one step, this
-- takes longer than step_put. Carried by the primary keys and users_identifier_key.
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
