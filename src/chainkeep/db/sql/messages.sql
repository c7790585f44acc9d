-- name: message_insert :exec
-- Writes a new message, and with it the run that its answers hang under in the UI where `run_id` is given; nothing
-- where the id is taken, or the message that it answers is not in the thread. Who `speaks_as` a role of the thread bears
-- its name and icon there. Where `nests`, it hangs under the run that the newest step is, or hangs under at most two
-- levels below, so that the cost does not grow with the thread; where `same_turn`, it belongs to the newest message's
-- turn. Carried by the primary keys and steps_thread_created_idx.
INSERT INTO steps (
    "id", "threadId", "parentId", "type", "name", "input", "output", "createdAt", "start", "end", "language",
    "streaming", "metadata", "generation", "favorite", "position", "revision", "role", "private", "replyTo", "turn",
    "toolCallId", "ext"
)
SELECT
    CAST(:id AS TEXT),
    CAST(:thread_id AS TEXT),
    CASE WHEN CAST(:nests AS BOOLEAN) THEN (
        SELECT CASE
            WHEN newest.type = 'run' THEN newest.id
            WHEN newest.type = 'user_message' THEN NULL
            WHEN above."type" = 'run' THEN above."id"
            WHEN higher."type" = 'run' THEN higher."id"
        END
        FROM (
            SELECT steps."id" AS id, steps."type" AS type, steps."parentId" AS parent_id
            FROM steps
            WHERE steps."threadId" = CAST(:thread_id AS TEXT)
                AND steps."type" <> 'system_message'
                AND steps."deletedAt" IS NULL
                AND NOT steps."private"
            ORDER BY steps."createdAt" DESC, steps."position" DESC
            LIMIT 1
        ) AS newest
        LEFT JOIN steps AS above ON above."id" = newest.parent_id AND above."deletedAt" IS NULL
        LEFT JOIN steps AS higher ON higher."id" = above."parentId" AND higher."deletedAt" IS NULL
    ) END,
    CAST(:type AS TEXT),
    COALESCE(
        (
            SELECT thread_roles."userName"
            FROM thread_roles
            WHERE thread_roles."threadId" = CAST(:thread_id AS TEXT)
                AND thread_roles."name" = CAST(:speaks_as AS TEXT)
        ),
        CAST(:name AS TEXT)
    ),
    CAST(:input AS TEXT),
    CAST(:output AS TEXT),
    CAST(:created_at AS TEXT),
    CAST(:created_at AS TEXT),
    CAST(:created_at AS TEXT),
    CAST(:language AS TEXT),
    FALSE,
    COALESCE(
        (
            SELECT '{"avatarName":"' || REPLACE(REPLACE(thread_roles."icon", '\', '\\'), '"', '\"') || '"}'
            FROM thread_roles
            WHERE thread_roles."threadId" = CAST(:thread_id AS TEXT)
                AND thread_roles."name" = CAST(:role AS TEXT)
        ),
        CAST(:metadata AS TEXT)
    ),
    CAST(:generation AS TEXT),
    FALSE,
    CAST(:position AS BIGINT),
    0,
    CAST(:role AS TEXT),
    CAST(:private AS BOOLEAN),
    CAST(:reply_to AS TEXT),
    CASE WHEN CAST(:same_turn AS BOOLEAN) THEN COALESCE(
        (
            SELECT COALESCE(steps."turn", steps."position")
            FROM steps
            WHERE steps."threadId" = CAST(:thread_id AS TEXT)
                AND steps."type" IN ('user_message', 'assistant_message', 'tool')
                AND steps."deletedAt" IS NULL
            ORDER BY steps."createdAt" DESC, steps."position" DESC
            LIMIT 1
        ),
        CAST(:turn AS BIGINT)
    ) ELSE CAST(:turn AS BIGINT) END,
    CAST(:tool_call_id AS TEXT),
    CAST(:ext AS TEXT)
WHERE (
        CAST(:reply_to AS TEXT) IS NULL
        OR EXISTS (
            SELECT 1
            FROM steps AS target
            WHERE target."id" = CAST(:reply_to AS TEXT)
                AND target."threadId" = CAST(:thread_id AS TEXT)
                AND target."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
                AND target."deletedAt" IS NULL
        )
    )
UNION ALL
SELECT
    CAST(:run_id AS TEXT),
    CAST(:thread_id AS TEXT),
    CAST(:id AS TEXT),
    'run',
    'on_message',
    CAST(:output AS TEXT),
    '',
    CAST(:run_created_at AS TEXT),
    CAST(:run_created_at AS TEXT),
    CAST(:run_created_at AS TEXT),
    CAST(NULL AS TEXT),
    FALSE,
    '{}',
    CAST(NULL AS TEXT),
    FALSE,
    CAST(:position AS BIGINT) + 1,
    0,
    CAST(NULL AS TEXT),
    FALSE,
    CAST(NULL AS TEXT),
    CAST(NULL AS BIGINT),
    CAST(NULL AS TEXT),
    CAST(NULL AS TEXT)
WHERE CAST(:run_id AS TEXT) IS NOT NULL
    AND (
        CAST(:reply_to AS TEXT) IS NULL
        OR EXISTS (
            SELECT 1
            FROM steps AS target
            WHERE target."id" = CAST(:reply_to AS TEXT)
                AND target."threadId" = CAST(:thread_id AS TEXT)
                AND target."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
                AND target."deletedAt" IS NULL
        )
    )
ON CONFLICT ("id") DO NOTHING;

-- name: messages_of_thread :many
-- A thread's messages, the newest first and system messages last of all, with sequence and turn counted among those
-- that are not deleted; one message where an id is given, and its thread with it. In a chat of the UI a message answers
-- the nearest message above it, and any has the vote of the nearest run above it, at most four levels up: recursion is
-- planned badly by PostgreSQL. Carried by the primary keys, steps_thread_created_idx and feedbacks_for_key.
-- expands: roles
WITH said AS (
    SELECT
        steps."id" AS id,
        COALESCE(steps."role", CASE steps."type"
            WHEN 'user_message' THEN 'user'
            WHEN 'assistant_message' THEN 'assistant'
            WHEN 'system_message' THEN 'system'
            ELSE 'tool'
        END) AS role,
        CASE WHEN steps."type" = 'system_message' THEN 0 ELSE SUM(CASE WHEN steps."type" = 'system_message' THEN 0 ELSE 1 END)
            OVER (ORDER BY steps."createdAt", steps."position", steps."id") END AS sequence,
        CASE WHEN steps."type" = 'system_message' THEN 0 ELSE DENSE_RANK() OVER (
            PARTITION BY CASE WHEN steps."type" = 'system_message' THEN 1 ELSE 0 END
            ORDER BY COALESCE(steps."turn", steps."position")
        ) END AS turn
    FROM steps
    WHERE steps."threadId" = COALESCE(
            CAST(:thread_id AS TEXT),
            (SELECT one."threadId" FROM steps AS one WHERE one."id" = CAST(:id AS TEXT))
        )
        AND steps."type" IN ('user_message', 'assistant_message', 'system_message', 'tool')
        AND steps."deletedAt" IS NULL
)
SELECT
    steps."id" AS id,
    steps."threadId" AS thread_id,
    said.role AS role,
    said.sequence AS sequence,
    said.turn AS turn,
    steps."type" AS type,
    steps."name" AS name,
    steps."input" AS input,
    steps."output" AS output,
    steps."createdAt" AS created_at,
    steps."language" AS language,
    steps."metadata" AS metadata,
    steps."generation" AS generation,
    steps."private" AS private,
    steps."toolCallId" AS tool_call_id,
    steps."ext" AS ext,
    steps."role" IS NULL AS from_ui,
    steps."position" AS position,
    COALESCE(
        steps."replyTo",
        CASE
            WHEN steps."role" IS NOT NULL THEN NULL
            WHEN above."type" IN ('user_message', 'assistant_message', 'system_message', 'tool') THEN above."id"
            WHEN higher."type" IN ('user_message', 'assistant_message', 'system_message', 'tool') THEN higher."id"
            WHEN third."type" IN ('user_message', 'assistant_message', 'system_message', 'tool') THEN third."id"
            WHEN fourth."type" IN ('user_message', 'assistant_message', 'system_message', 'tool') THEN fourth."id"
        END
    ) AS reply_to,
    COALESCE(own."value", runs."value") AS feedback,
    COALESCE(own."comment", runs."comment") AS feedback_comment
FROM said
JOIN steps ON steps."id" = said.id
JOIN threads ON threads."id" = steps."threadId"
LEFT JOIN steps AS above ON above."id" = steps."parentId" AND above."deletedAt" IS NULL
LEFT JOIN steps AS higher ON higher."id" = above."parentId" AND higher."deletedAt" IS NULL
LEFT JOIN steps AS third ON third."id" = higher."parentId" AND third."deletedAt" IS NULL
LEFT JOIN steps AS fourth ON fourth."id" = third."parentId" AND fourth."deletedAt" IS NULL
LEFT JOIN feedbacks AS own ON own."forId" = steps."id"
LEFT JOIN feedbacks AS runs ON runs."forId" = CASE
    WHEN above."type" = 'run' THEN above."id"
    WHEN higher."type" = 'run' THEN higher."id"
    WHEN third."type" = 'run' THEN third."id"
    WHEN fourth."type" = 'run' THEN fourth."id"
END
WHERE threads."deletedAt" IS NULL
    AND (CAST(:id AS TEXT) IS NULL OR said.id = CAST(:id AS TEXT))
    AND (CAST(:include_private AS BOOLEAN) OR NOT steps."private")
    AND (CAST(:any_role AS BOOLEAN) OR said.role IN :roles)
ORDER BY said.sequence DESC, steps."createdAt", steps."position", steps."id"
LIMIT :count;

-- name: message_change :exec
-- Sets text and what else a message has, keeps its place, and keeps a create that comes late from undoing it. Carried
-- by the primary key.
UPDATE steps SET
    "output" = :output,
    "ext" = :ext,
    "language" = :language,
    "unindexed" = "unindexed" + 1,
    "revision" = "revision" + 1
WHERE "id" = :id
    AND "threadId" = :thread_id
    AND "deletedAt" IS NULL;

-- name: message_release :exec
-- Hangs what hangs under a message one higher, so that it stays when the message goes. Carried by
-- steps_thread_created_idx.
UPDATE steps SET
    "parentId" = (
        SELECT gone."parentId"
        FROM steps AS gone
        WHERE gone."id" = CAST(:id AS TEXT)
            AND gone."threadId" = CAST(:thread_id AS TEXT)
    )
WHERE "threadId" = CAST(:thread_id AS TEXT)
    AND "parentId" = CAST(:id AS TEXT);

-- name: steps_alive :many
-- A thread's steps that are not deleted, and what they point to. Carried by steps_thread_created_idx.
SELECT steps."id" AS id, steps."parentId" AS parent_id, steps."replyTo" AS reply_to, steps."favorite" AS favorite
FROM steps
WHERE steps."threadId" = :thread_id
    AND steps."deletedAt" IS NULL;

-- name: step_copy :exec
-- Writes a step once more, under another id and in another thread. Carried by the primary key.
INSERT INTO steps (
    "id", "threadId", "parentId", "type", "name", "input", "output", "createdAt", "start", "end", "command", "modes",
    "language", "streaming", "waitForAnswer", "isError", "showInput", "defaultOpen", "autoCollapse", "metadata", "tags",
    "generation", "extra", "favorite", "position", "revision", "role", "private", "replyTo", "turn", "toolCallId", "ext"
)
SELECT
    CAST(:new_id AS TEXT),
    CAST(:thread_id AS TEXT),
    CAST(:parent_id AS TEXT),
    steps."type",
    steps."name",
    steps."input",
    steps."output",
    steps."createdAt",
    steps."start",
    steps."end",
    steps."command",
    steps."modes",
    steps."language",
    steps."streaming",
    steps."waitForAnswer",
    steps."isError",
    steps."showInput",
    steps."defaultOpen",
    steps."autoCollapse",
    steps."metadata",
    steps."tags",
    steps."generation",
    steps."extra",
    steps."favorite",
    steps."position",
    steps."revision",
    steps."role",
    steps."private",
    CAST(:reply_to AS TEXT),
    steps."turn",
    steps."toolCallId",
    steps."ext"
FROM steps
WHERE steps."id" = CAST(:id AS TEXT)
    AND steps."deletedAt" IS NULL
ON CONFLICT ("id") DO NOTHING;
