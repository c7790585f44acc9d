-- What the connection that writes makes for itself, and no other sees: several statements as one. Python lets go of its
-- lock for each statement and has to get it back after each, from an event loop that is busy with other chats; and a
-- statement that is a transaction by itself needs no BEGIN and no COMMIT.

-- The binds of step_write and thread_touch, a row for each step.
CREATE TEMP VIEW IF NOT EXISTS steps_put AS
SELECT
    NULL AS "id",
    NULL AS "thread_id",
    NULL AS "parent_id",
    NULL AS "type",
    NULL AS "name",
    NULL AS "input",
    NULL AS "output",
    NULL AS "created_at",
    NULL AS "start",
    NULL AS "end",
    NULL AS "command",
    NULL AS "modes",
    NULL AS "language",
    NULL AS "streaming",
    NULL AS "wait_for_answer",
    NULL AS "is_error",
    NULL AS "show_input",
    NULL AS "default_open",
    NULL AS "auto_collapse",
    NULL AS "metadata",
    NULL AS "tags",
    NULL AS "generation",
    NULL AS "extra",
    NULL AS "favorite",
    NULL AS "position",
    NULL AS "created",
    NULL AS "given",
    NULL AS "updates",
    NULL AS "thread_created_at",
    NULL AS "activity_at",
    NULL AS "user_id",
    NULL AS "user_identifier";

-- What thread_touch does, then what step_write does, which is two statements here. A row of nulls fills up a statement.
-- Where a step cannot be written, nothing is.
CREATE TEMP TRIGGER IF NOT EXISTS steps_put_row INSTEAD OF INSERT ON steps_put WHEN NEW."id" IS NOT NULL
BEGIN
    INSERT INTO threads ("id", "createdAt", "userId", "userIdentifier", "metadata", "lastActivityAt")
    SELECT
        NEW."thread_id",
        NEW."thread_created_at",
        COALESCE(
            NEW."user_id",
            (SELECT users."id" FROM users WHERE users."identifier" = NEW."user_identifier")
        ),
        COALESCE(
            NEW."user_identifier",
            (SELECT users."identifier" FROM users WHERE users."id" = NEW."user_id")
        ),
        '{}',
        NEW."activity_at"
    WHERE TRUE
    ON CONFLICT ("id") DO UPDATE SET
        "lastActivityAt" = CASE
            WHEN NEW."activity_at" > threads."lastActivityAt" THEN NEW."activity_at"
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
        AND (
            NEW."activity_at" > threads."lastActivityAt"
            OR (threads."userId" IS NULL AND excluded."userId" IS NOT NULL)
            OR (threads."userIdentifier" IS NULL AND excluded."userIdentifier" IS NOT NULL)
        );

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
        NEW."id",
        NEW."thread_id",
        NEW."parent_id",
        NEW."type",
        NEW."name",
        NEW."input",
        NEW."output",
        NEW."created_at",
        NEW."start",
        NEW."end",
        NEW."command",
        NEW."modes",
        NEW."language",
        NEW."streaming",
        NEW."wait_for_answer",
        NEW."is_error",
        NEW."show_input",
        NEW."default_open",
        NEW."auto_collapse",
        NEW."metadata",
        NEW."tags",
        NEW."generation",
        NEW."extra",
        NEW."favorite",
        NEW."position",
        NEW."updates"
    FROM threads
    WHERE threads."id" = NEW."thread_id"
        AND threads."deletedAt" IS NULL
    ON CONFLICT ("id") DO UPDATE SET
        "parentId" = CASE
            WHEN (NEW."given" & 1) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."parentId"
            ELSE steps."parentId"
        END,
        "name" = CASE
            WHEN (NEW."given" & 4) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."name"
            ELSE steps."name"
        END,
        "input" = CASE
            WHEN (NEW."given" & 8) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."input"
            ELSE steps."input"
        END,
        "output" = CASE
            WHEN (NEW."given" & 16) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."output"
            ELSE steps."output"
        END,
        "start" = CASE
            WHEN (NEW."given" & 64) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."start"
            ELSE steps."start"
        END,
        "end" = CASE
            WHEN (NEW."given" & 128) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."end"
            ELSE steps."end"
        END,
        "command" = CASE
            WHEN (NEW."given" & 256) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."command"
            ELSE steps."command"
        END,
        "modes" = CASE
            WHEN (NEW."given" & 512) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."modes"
            ELSE steps."modes"
        END,
        "language" = CASE
            WHEN (NEW."given" & 1024) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."language"
            ELSE steps."language"
        END,
        "streaming" = CASE
            WHEN (NEW."given" & 2048) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."streaming"
            ELSE steps."streaming"
        END,
        "waitForAnswer" = CASE
            WHEN (NEW."given" & 4096) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."waitForAnswer"
            ELSE steps."waitForAnswer"
        END,
        "isError" = CASE
            WHEN (NEW."given" & 8192) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."isError"
            ELSE steps."isError"
        END,
        "showInput" = CASE
            WHEN (NEW."given" & 16384) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."showInput"
            ELSE steps."showInput"
        END,
        "defaultOpen" = CASE
            WHEN (NEW."given" & 32768) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."defaultOpen"
            ELSE steps."defaultOpen"
        END,
        "autoCollapse" = CASE
            WHEN (NEW."given" & 65536) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."autoCollapse"
            ELSE steps."autoCollapse"
        END,
        "metadata" = CASE
            WHEN (NEW."given" & 131072) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."metadata"
            ELSE steps."metadata"
        END,
        "tags" = CASE
            WHEN (NEW."given" & 262144) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."tags"
            ELSE steps."tags"
        END,
        "generation" = CASE
            WHEN (NEW."given" & 524288) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."generation"
            ELSE steps."generation"
        END,
        "extra" = CASE
            WHEN (NEW."given" & 1048576) <> 0 OR (NEW."created" AND steps."revision" = 0)
                THEN excluded."extra"
            ELSE steps."extra"
        END,
        "revision" = steps."revision" + excluded."revision"
    WHERE steps."threadId" = excluded."threadId"
        AND steps."deletedAt" IS NULL;

    SELECT RAISE(ABORT, 'refused')
    WHERE changes() = 0;

    -- The columns of indexes apart, and only where one may change: SQLite takes a row out of each index of which a column
    -- is set, and puts it in again, also where it is set to what it was.
    UPDATE steps SET
        "type" = CASE
            WHEN (NEW."given" & 2) <> 0 OR (NEW."created" AND steps."revision" = NEW."updates")
                THEN NEW."type"
            ELSE steps."type"
        END,
        "createdAt" = CASE
            WHEN (NEW."given" & 32) <> 0 OR (NEW."created" AND steps."revision" = NEW."updates")
                THEN NEW."created_at"
            ELSE steps."createdAt"
        END,
        "favorite" = CASE
            WHEN (NEW."given" & 131072) <> 0 OR (NEW."created" AND steps."revision" = NEW."updates")
                THEN NEW."favorite"
            ELSE steps."favorite"
        END,
        "unindexed" = CASE
            WHEN steps."unindexed" = 0
                AND (
                    (NEW."given" & 16) <> 0
                    OR (NEW."given" & 2) <> 0
                    OR (NEW."created" AND steps."revision" = NEW."updates")
                )
                THEN 1
            ELSE steps."unindexed"
        END
    WHERE steps."id" = NEW."id"
        AND (
            steps."type" <> NEW."type"
            OR steps."createdAt" <> NEW."created_at"
            OR steps."favorite" <> NEW."favorite"
            OR steps."unindexed" = 0
        );
END;
