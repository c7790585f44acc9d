INSERT INTO users ("id", "identifier", "metadata", "createdAt")
SELECT CAST(id AS UUID), identifier, '{}', created_at FROM seed_users;

INSERT INTO threads ("id", "createdAt", "name", "userId", "userIdentifier", "metadata")
SELECT CAST(id AS UUID), created_at, name, CAST(user_id AS UUID), user_identifier, '{}' FROM seed_threads;

INSERT INTO steps (
    "id", "threadId", "parentId", "type", "name", "input", "output", "createdAt", "start", "end", "streaming", "isError",
    "showInput", "metadata", "generation"
)
SELECT
    CAST(id AS UUID), CAST(thread_id AS UUID), CAST(parent_id AS UUID), type, name, input, output, created_at, created_at,
    created_at, FALSE, FALSE, 'true', CAST(metadata AS JSONB), '{}'
FROM seed_steps;

INSERT INTO elements ("id", "threadId", "forId", "type", "name", "display", "objectKey", "mime", "props")
SELECT
    CAST(id AS UUID), CAST(thread_id AS UUID), CAST(step_id AS UUID), 'file', name, 'inline', object_key, 'text/plain', '{}'
FROM seed_elements;

INSERT INTO feedbacks ("id", "forId", "threadId", "value")
SELECT CAST(id AS UUID), CAST(step_id AS UUID), CAST(thread_id AS UUID), value FROM seed_feedbacks;
