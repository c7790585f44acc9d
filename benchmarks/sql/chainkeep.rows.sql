INSERT INTO users ("id", "identifier", "metadata", "createdAt")
SELECT id, identifier, '{}', created_at FROM seed_users;

INSERT INTO threads ("id", "createdAt", "name", "userId", "userIdentifier", "metadata", "lastActivityAt", "starred")
SELECT id, created_at, name, user_id, user_identifier, '{}', last_activity_at, favorite = 1 FROM seed_threads;

INSERT INTO steps (
    "id", "threadId", "parentId", "type", "name", "input", "output", "createdAt", "start", "end", "streaming", "isError",
    "showInput", "metadata", "favorite", "position", "revision"
)
SELECT
    id, thread_id, parent_id, type, name, input, output, created_at, created_at, created_at, FALSE, FALSE, 'true', metadata,
    favorite = 1, n, 0
FROM seed_steps;

INSERT INTO elements (
    "id", "threadId", "forId", "type", "name", "display", "objectKey", "mime", "createdAt", "position"
)
SELECT id, thread_id, step_id, 'file', name, 'inline', object_key, 'text/plain', created_at, n FROM seed_elements;

INSERT INTO feedbacks ("id", "forId", "threadId", "value", "createdAt", "updatedAt")
SELECT id, step_id, thread_id, value, created_at, created_at FROM seed_feedbacks;
