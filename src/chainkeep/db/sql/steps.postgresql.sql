-- name: step_put :exec
-- Does what thread_touch and step_write do for one step: both or, where it cannot be written, neither, and fails by
-- reading what is no flag as one. The touch has an activity. The thread is locked before the step, as everywhere. One
-- statement instead of a transaction saves three waits for the server, and SQLite has no server to wait for. Carried by
-- the primary keys and users_identifier_key.
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
        CAST(:activity_at AS TEXT)
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
    WHERE
        CASE
            WHEN threads."deletedAt" IS NULL
                THEN CAST(:activity_at AS TEXT) > threads."lastActivityAt"
                    OR (threads."userId" IS NULL AND excluded."userId" IS NOT NULL)
                    OR (threads."userIdentifier" IS NULL AND excluded."userIdentifier" IS NOT NULL)
            ELSE CAST(CONCAT('refused, it was deleted ', threads."deletedAt") AS BOOLEAN)
        END
    RETURNING "id"
)
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
WHERE (SELECT COUNT(touched."id") FROM touched) >= 0
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
WHERE
    CASE
        WHEN steps."threadId" = excluded."threadId" AND steps."deletedAt" IS NULL THEN TRUE
        ELSE CAST(CONCAT('refused, it is in ', steps."threadId") AS BOOLEAN)
    END;

-- name: steps_put :exec
-- Does what thread_touch and step_write do for many steps: all of it or, where a step cannot be written, nothing, and
-- fails by reading what is no flag as one. No thread is touched twice, and each touch has an activity. The steps come as
-- one text, and so do the touches: lines parted by 1D, their items by 1F, and 1E for a null, because a driver looks at
-- each item of an array for long. The items are the binds of step_write and of thread_touch, in their order. A SELECT of
-- its own takes the lines apart, so that PostgreSQL plans alike for few and many, and keeps the plan. Threads are locked
-- before steps, as everywhere. For one step, this takes longer than step_put. Carried by the primary keys and
-- users_identifier_key.
WITH step AS MATERIALIZED (
    SELECT string_to_array(line.words, E'\x1f', E'\x1e') AS item
    FROM unnest((SELECT string_to_array(CAST(:steps AS TEXT), E'\x1d'))) AS line (words)
),
handed AS MATERIALIZED (
    SELECT
        step.item[1] AS id,
        CAST(step.item[26] AS BOOLEAN) AS created,
        CAST(step.item[27] AS BIGINT) AS given
    FROM step
),
touch AS MATERIALIZED (
    SELECT string_to_array(line.words, E'\x1f', E'\x1e') AS item
    FROM unnest((SELECT string_to_array(CAST(:touches AS TEXT), E'\x1d'))) AS line (words)
),
touched AS (
    INSERT INTO threads ("id", "createdAt", "userId", "userIdentifier", "metadata", "lastActivityAt")
    SELECT
        touch.item[1] AS "id",
        touch.item[2] AS "createdAt",
        COALESCE(
            touch.item[4],
            (SELECT users."id" FROM users WHERE users."identifier" = touch.item[5])
        ) AS "userId",
        COALESCE(
            touch.item[5],
            (SELECT users."identifier" FROM users WHERE users."id" = touch.item[4])
        ) AS "userIdentifier",
        '{}' AS "metadata",
        touch.item[3] AS "lastActivityAt"
    FROM touch
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
    WHERE
        CASE
            WHEN threads."deletedAt" IS NULL
                THEN excluded."lastActivityAt" > threads."lastActivityAt"
                    OR (threads."userId" IS NULL AND excluded."userId" IS NOT NULL)
                    OR (threads."userIdentifier" IS NULL AND excluded."userIdentifier" IS NOT NULL)
            ELSE CAST(CONCAT('refused, it was deleted ', threads."deletedAt") AS BOOLEAN)
        END
    RETURNING "id"
)
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
    step.item[1] AS "id",
    step.item[2] AS "threadId",
    step.item[3] AS "parentId",
    step.item[4] AS "type",
    step.item[5] AS "name",
    step.item[6] AS "input",
    step.item[7] AS "output",
    step.item[8] AS "createdAt",
    step.item[9] AS "start",
    step.item[10] AS "end",
    step.item[11] AS "command",
    step.item[12] AS "modes",
    step.item[13] AS "language",
    CAST(step.item[14] AS BOOLEAN) AS "streaming",
    CAST(step.item[15] AS BOOLEAN) AS "waitForAnswer",
    CAST(step.item[16] AS BOOLEAN) AS "isError",
    step.item[17] AS "showInput",
    CAST(step.item[18] AS BOOLEAN) AS "defaultOpen",
    CAST(step.item[19] AS BOOLEAN) AS "autoCollapse",
    step.item[20] AS "metadata",
    step.item[21] AS "tags",
    step.item[22] AS "generation",
    step.item[23] AS "extra",
    CAST(step.item[24] AS BOOLEAN) AS "favorite",
    CAST(step.item[25] AS BIGINT) AS "position",
    CAST(step.item[28] AS BIGINT) AS "revision"
FROM step
WHERE (SELECT COUNT(touched."id") FROM touched) >= 0
ON CONFLICT ("id") DO UPDATE SET
    (
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
        "unindexed"
    ) = (
        SELECT
            CASE
                WHEN (handed.given & 1) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."parentId"
                ELSE steps."parentId"
            END,
            CASE
                WHEN (handed.given & 2) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."type"
                ELSE steps."type"
            END,
            CASE
                WHEN (handed.given & 4) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."name"
                ELSE steps."name"
            END,
            CASE
                WHEN (handed.given & 8) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."input"
                ELSE steps."input"
            END,
            CASE
                WHEN (handed.given & 16) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."output"
                ELSE steps."output"
            END,
            CASE
                WHEN (handed.given & 32) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."createdAt"
                ELSE steps."createdAt"
            END,
            CASE
                WHEN (handed.given & 64) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."start"
                ELSE steps."start"
            END,
            CASE
                WHEN (handed.given & 128) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."end"
                ELSE steps."end"
            END,
            CASE
                WHEN (handed.given & 256) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."command"
                ELSE steps."command"
            END,
            CASE
                WHEN (handed.given & 512) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."modes"
                ELSE steps."modes"
            END,
            CASE
                WHEN (handed.given & 1024) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."language"
                ELSE steps."language"
            END,
            CASE
                WHEN (handed.given & 2048) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."streaming"
                ELSE steps."streaming"
            END,
            CASE
                WHEN (handed.given & 4096) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."waitForAnswer"
                ELSE steps."waitForAnswer"
            END,
            CASE
                WHEN (handed.given & 8192) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."isError"
                ELSE steps."isError"
            END,
            CASE
                WHEN (handed.given & 16384) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."showInput"
                ELSE steps."showInput"
            END,
            CASE
                WHEN (handed.given & 32768) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."defaultOpen"
                ELSE steps."defaultOpen"
            END,
            CASE
                WHEN (handed.given & 65536) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."autoCollapse"
                ELSE steps."autoCollapse"
            END,
            CASE
                WHEN (handed.given & 131072) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."metadata"
                ELSE steps."metadata"
            END,
            CASE
                WHEN (handed.given & 262144) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."tags"
                ELSE steps."tags"
            END,
            CASE
                WHEN (handed.given & 524288) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."generation"
                ELSE steps."generation"
            END,
            CASE
                WHEN (handed.given & 1048576) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."extra"
                ELSE steps."extra"
            END,
            CASE
                WHEN (handed.given & 131072) <> 0 OR (handed.created AND steps."revision" = 0)
                    THEN excluded."favorite"
                ELSE steps."favorite"
            END,
            CASE
                WHEN steps."unindexed" = 0
                    AND (
                        (handed.given & 16) <> 0
                        OR (handed.given & 2) <> 0
                        OR (handed.created AND steps."revision" = 0)
                    )
                    THEN 1
                ELSE steps."unindexed"
            END
        FROM handed
        WHERE handed.id = excluded."id"
    ),
    "revision" = steps."revision" + excluded."revision"
WHERE
    CASE
        WHEN steps."threadId" = excluded."threadId" AND steps."deletedAt" IS NULL THEN TRUE
        ELSE CAST(CONCAT('refused, it is in ', steps."threadId") AS BOOLEAN)
    END;
