-- name: steps_put_rows :exec
-- Does what thread_touch and step_write do for each row, through the trigger of migrations/writing.sqlite.sql: all of
-- it or, where a step cannot be written, nothing, and fails. Rows of nulls are passed over. Carried by the primary keys
-- and users_identifier_key.
-- expands: rows
INSERT INTO steps_put (
    "id",
    "thread_id",
    "parent_id",
    "type",
    "name",
    "input",
    "output",
    "created_at",
    "start",
    "end",
    "command",
    "modes",
    "language",
    "streaming",
    "wait_for_answer",
    "is_error",
    "show_input",
    "default_open",
    "auto_collapse",
    "metadata",
    "tags",
    "generation",
    "extra",
    "favorite",
    "position",
    "created",
    "given",
    "updates",
    "thread_created_at",
    "activity_at",
    "user_id",
    "user_identifier"
)
VALUES :rows;
