-- name: leftovers_insert :exec
-- Keeps a value, or a whole row, that has no place in the new tables.
INSERT INTO chainkeep_leftovers ("table", "rowId", "column", "value")
VALUES (CAST(:table AS TEXT), CAST(:row_id AS TEXT), CAST(:column AS TEXT), CAST(:value AS TEXT));

-- name: users_insert :exec
-- Carries a user over.
INSERT INTO users ("id", "identifier", "metadata", "createdAt")
VALUES (:id, :identifier, :metadata, :created_at);

-- name: threads_insert :exec
-- Carries a thread over; its last activity is set when the steps are there.
INSERT INTO threads (
    "id",
    "createdAt",
    "name",
    "userId",
    "userIdentifier",
    "tags",
    "metadata",
    "lastActivityAt"
)
VALUES (
    :id,
    :created_at,
    :name,
    :user_id,
    :user_identifier,
    :tags,
    :metadata,
    :created_at
);

-- name: steps_insert :exec
-- Carries a step over. Revision 1: a create that comes late must not overwrite it.
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
VALUES (
    :id,
    :thread_id,
    :parent_id,
    :type,
    :name,
    :input,
    :output,
    :created_at,
    :start,
    :end,
    :command,
    :modes,
    :language,
    :streaming,
    :wait_for_answer,
    :is_error,
    :show_input,
    :default_open,
    :auto_collapse,
    :metadata,
    :tags,
    :generation,
    :extra,
    :favorite,
    :position,
    1
);

-- name: elements_insert :exec
-- Carries an element over.
INSERT INTO elements (
    "id",
    "threadId",
    "forId",
    "type",
    "name",
    "display",
    "url",
    "objectKey",
    "chainlitKey",
    "mime",
    "size",
    "language",
    "page",
    "props",
    "autoPlay",
    "playerConfig",
    "extra",
    "createdAt",
    "position"
)
VALUES (
    :id,
    :thread_id,
    :for_id,
    :type,
    :name,
    :display,
    :url,
    :object_key,
    :chainlit_key,
    :mime,
    :size,
    :language,
    :page,
    :props,
    :auto_play,
    :player_config,
    :extra,
    :created_at,
    :position
);

-- name: feedbacks_insert :exec
-- Carries a vote over.
INSERT INTO feedbacks ("id", "forId", "threadId", "value", "comment", "createdAt", "updatedAt")
VALUES (:id, :for_id, :thread_id, :value, :comment, :created_at, :created_at);

-- name: threads_reassign :exec
-- Gives a user's threads to the user of the same name who is kept.
UPDATE threads SET "userId" = :kept
WHERE "userId" = :dropped;

-- name: threads_fill_created :exec
-- A thread of unknown age is as old as its oldest step. Carried by steps_thread_created_idx.
UPDATE threads SET
    "createdAt" = COALESCE(
        (
            SELECT MIN(steps."createdAt")
            FROM steps
            WHERE steps."threadId" = threads."id"
                AND steps."createdAt" > CAST(:unknown AS TEXT)
        ),
        "createdAt"
    )
WHERE "createdAt" = CAST(:unknown AS TEXT);

-- name: steps_fill_created :exec
-- A step of unknown age is as old as its thread.
UPDATE steps SET
    "createdAt" = COALESCE(
        (SELECT threads."createdAt" FROM threads WHERE threads."id" = steps."threadId"),
        "createdAt"
    )
WHERE "createdAt" = CAST(:unknown AS TEXT);

-- name: threads_fill_activity :exec
-- A thread was last active when its newest step was made. Carried by steps_thread_created_idx.
UPDATE threads SET
    "lastActivityAt" = COALESCE(
        (SELECT MAX(steps."createdAt") FROM steps WHERE steps."threadId" = threads."id"),
        "createdAt"
    );

-- name: threads_fill_identifier :exec
-- The owner's name, where only the id was kept.
UPDATE threads SET
    "userIdentifier" = (SELECT users."identifier" FROM users WHERE users."id" = threads."userId")
WHERE "userIdentifier" IS NULL
    AND "userId" IS NOT NULL;

-- name: threads_fill_starred :exec
-- In which threads a step is starred. Carried by steps_favorite_idx and the primary key.
UPDATE threads SET "starred" = TRUE
WHERE "id" IN (SELECT steps."threadId" FROM steps WHERE steps."favorite");

-- name: elements_fill_created :exec
-- The old tables do not say when an element was made: with its step, else with its thread.
UPDATE elements SET
    "createdAt" = COALESCE(
        (SELECT steps."createdAt" FROM steps WHERE steps."id" = elements."forId"),
        (SELECT threads."createdAt" FROM threads WHERE threads."id" = elements."threadId"),
        "createdAt"
    )
WHERE "createdAt" = CAST(:unknown AS TEXT);

-- name: feedbacks_fill_created :exec
-- The old tables do not say when a vote was cast: not before its step.
UPDATE feedbacks SET
    "createdAt" = COALESCE(
        (SELECT steps."createdAt" FROM steps WHERE steps."id" = feedbacks."forId"),
        "createdAt"
    ),
    "updatedAt" = COALESCE(
        (SELECT steps."createdAt" FROM steps WHERE steps."id" = feedbacks."forId"),
        "updatedAt"
    )
WHERE "createdAt" = CAST(:unknown AS TEXT);

-- name: threads_of_unknown_age :one
-- Threads that nothing dates.
SELECT COUNT(*) AS count
FROM threads
WHERE "createdAt" = CAST(:unknown AS TEXT);

-- name: threads_ownerless :one
-- Threads that are in nobody's list.
SELECT COUNT(*) AS count
FROM threads
WHERE "userId" IS NULL;

-- name: steps_without_thread :one
-- Steps that nobody can reach.
SELECT COUNT(*) AS count
FROM steps
WHERE NOT EXISTS (SELECT 1 FROM threads WHERE threads."id" = steps."threadId");
