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
            WHEN (CAST(:given AS BIGINT) & 1) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."parentId"
            ELSE steps."parentId"
        END,
        "type" = CASE
            WHEN (CAST(:given AS BIGINT) & 2) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."type"
            ELSE steps."type"
        END,
        "name" = CASE
            WHEN (CAST(:given AS BIGINT) & 4) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."name"
            ELSE steps."name"
        END,
        "input" = CASE
            WHEN (CAST(:given AS BIGINT) & 8) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."input"
            ELSE steps."input"
        END,
        "output" = CASE
            WHEN (CAST(:given AS BIGINT) & 16) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."output"
            ELSE steps."output"
        END,
        "createdAt" = CASE
            WHEN (CAST(:given AS BIGINT) & 32) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."createdAt"
            ELSE steps."createdAt"
        END,
        "start" = CASE
            WHEN (CAST(:given AS BIGINT) & 64) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."start"
            ELSE steps."start"
        END,
        "end" = CASE
            WHEN (CAST(:given AS BIGINT) & 128) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."end"
            ELSE steps."end"
        END,
        "command" = CASE
            WHEN (CAST(:given AS BIGINT) & 256) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."command"
            ELSE steps."command"
        END,
        "modes" = CASE
            WHEN (CAST(:given AS BIGINT) & 512) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."modes"
            ELSE steps."modes"
        END,
        "language" = CASE
            WHEN (CAST(:given AS BIGINT) & 1024) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."language"
            ELSE steps."language"
        END,
        "streaming" = CASE
            WHEN (CAST(:given AS BIGINT) & 2048) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."streaming"
            ELSE steps."streaming"
        END,
        "waitForAnswer" = CASE
            WHEN (CAST(:given AS BIGINT) & 4096) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."waitForAnswer"
            ELSE steps."waitForAnswer"
        END,
        "isError" = CASE
            WHEN (CAST(:given AS BIGINT) & 8192) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."isError"
            ELSE steps."isError"
        END,
        "showInput" = CASE
            WHEN (CAST(:given AS BIGINT) & 16384) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."showInput"
            ELSE steps."showInput"
        END,
        "defaultOpen" = CASE
            WHEN (CAST(:given AS BIGINT) & 32768) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."defaultOpen"
            ELSE steps."defaultOpen"
        END,
        "autoCollapse" = CASE
            WHEN (CAST(:given AS BIGINT) & 65536) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."autoCollapse"
            ELSE steps."autoCollapse"
        END,
        "metadata" = CASE
            WHEN (CAST(:given AS BIGINT) & 131072) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."metadata"
            ELSE steps."metadata"
        END,
        "tags" = CASE
            WHEN (CAST(:given AS BIGINT) & 262144) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."tags"
            ELSE steps."tags"
        END,
        "generation" = CASE
            WHEN (CAST(:given AS BIGINT) & 524288) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."generation"
            ELSE steps."generation"
        END,
        "extra" = CASE
            WHEN (CAST(:given AS BIGINT) & 1048576) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."extra"
            ELSE steps."extra"
        END,
        "favorite" = CASE
            WHEN (CAST(:given AS BIGINT) & 131072) <> 0 OR (CAST(:created AS BOOLEAN) AND steps."revision" = 0)
                THEN excluded."favorite"
            ELSE steps."favorite"
        END,
        "unindexed" = CASE
            WHEN steps."unindexed" = 0
                AND (
                    (CAST(:given AS BIGINT) & 16) <> 0
                    OR (CAST(:given AS BIGINT) & 2) <> 0
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
-- only an update sees what `given` says of its row. A list comes as one text, its items parted by 1F and 1E for a null:
-- a driver looks at each item of an array for long. It is read by a SELECT of its own so that PostgreSQL plans alike
-- for short and long ones, and keeps the plan; a null stands for nulls alone. For one step, this takes longer than
-- step_put. Carried by the primary keys and users_identifier_key.
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
        (SELECT string_to_array(CAST(:id AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:thread_id AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:parent_id AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:type AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:name AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:input AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:output AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:created_at AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:start AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:end AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:command AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:modes AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:language AS TEXT), E'\x1f', E'\x1e')),
        (SELECT CAST(string_to_array(CAST(:streaming AS TEXT), E'\x1f', E'\x1e') AS BOOLEAN[])),
        (SELECT CAST(string_to_array(CAST(:wait_for_answer AS TEXT), E'\x1f', E'\x1e') AS BOOLEAN[])),
        (SELECT CAST(string_to_array(CAST(:is_error AS TEXT), E'\x1f', E'\x1e') AS BOOLEAN[])),
        (SELECT string_to_array(CAST(:show_input AS TEXT), E'\x1f', E'\x1e')),
        (SELECT CAST(string_to_array(CAST(:default_open AS TEXT), E'\x1f', E'\x1e') AS BOOLEAN[])),
        (SELECT CAST(string_to_array(CAST(:auto_collapse AS TEXT), E'\x1f', E'\x1e') AS BOOLEAN[])),
        (SELECT string_to_array(CAST(:metadata AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:tags AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:generation AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:extra AS TEXT), E'\x1f', E'\x1e')),
        (SELECT CAST(string_to_array(CAST(:favorite AS TEXT), E'\x1f', E'\x1e') AS BOOLEAN[])),
        (SELECT CAST(string_to_array(CAST(:position AS TEXT), E'\x1f', E'\x1e') AS BIGINT[])),
        (SELECT CAST(string_to_array(CAST(:updates AS TEXT), E'\x1f', E'\x1e') AS BIGINT[])),
        (SELECT CAST(string_to_array(CAST(:given AS TEXT), E'\x1f', E'\x1e') AS BIGINT[])),
        (SELECT CAST(string_to_array(CAST(:created AS TEXT), E'\x1f', E'\x1e') AS BOOLEAN[]))
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
        (SELECT string_to_array(CAST(:touched AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:touched_at AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:activity_at AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:user_id AS TEXT), E'\x1f', E'\x1e')),
        (SELECT string_to_array(CAST(:user_identifier AS TEXT), E'\x1f', E'\x1e'))
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
            WHEN (step.given & 1) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."parentId"
            ELSE steps."parentId"
        END,
        "type" = CASE
            WHEN (step.given & 2) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."type"
            ELSE steps."type"
        END,
        "name" = CASE
            WHEN (step.given & 4) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."name"
            ELSE steps."name"
        END,
        "input" = CASE
            WHEN (step.given & 8) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."input"
            ELSE steps."input"
        END,
        "output" = CASE
            WHEN (step.given & 16) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."output"
            ELSE steps."output"
        END,
        "createdAt" = CASE
            WHEN (step.given & 32) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."createdAt"
            ELSE steps."createdAt"
        END,
        "start" = CASE
            WHEN (step.given & 64) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."start"
            ELSE steps."start"
        END,
        "end" = CASE
            WHEN (step.given & 128) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."end"
            ELSE steps."end"
        END,
        "command" = CASE
            WHEN (step.given & 256) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."command"
            ELSE steps."command"
        END,
        "modes" = CASE
            WHEN (step.given & 512) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."modes"
            ELSE steps."modes"
        END,
        "language" = CASE
            WHEN (step.given & 1024) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."language"
            ELSE steps."language"
        END,
        "streaming" = CASE
            WHEN (step.given & 2048) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."streaming"
            ELSE steps."streaming"
        END,
        "waitForAnswer" = CASE
            WHEN (step.given & 4096) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."waitForAnswer"
            ELSE steps."waitForAnswer"
        END,
        "isError" = CASE
            WHEN (step.given & 8192) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."isError"
            ELSE steps."isError"
        END,
        "showInput" = CASE
            WHEN (step.given & 16384) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."showInput"
            ELSE steps."showInput"
        END,
        "defaultOpen" = CASE
            WHEN (step.given & 32768) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."defaultOpen"
            ELSE steps."defaultOpen"
        END,
        "autoCollapse" = CASE
            WHEN (step.given & 65536) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."autoCollapse"
            ELSE steps."autoCollapse"
        END,
        "metadata" = CASE
            WHEN (step.given & 131072) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."metadata"
            ELSE steps."metadata"
        END,
        "tags" = CASE
            WHEN (step.given & 262144) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."tags"
            ELSE steps."tags"
        END,
        "generation" = CASE
            WHEN (step.given & 524288) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."generation"
            ELSE steps."generation"
        END,
        "extra" = CASE
            WHEN (step.given & 1048576) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."extra"
            ELSE steps."extra"
        END,
        "favorite" = CASE
            WHEN (step.given & 131072) <> 0 OR (step.created AND steps."revision" = 0)
                THEN step."favorite"
            ELSE steps."favorite"
        END,
        "unindexed" = CASE
            WHEN steps."unindexed" = 0
                AND (
                    (step.given & 16) <> 0
                    OR (step.given & 2) <> 0
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
