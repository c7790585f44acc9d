INSERT INTO "User" ("id", "identifier", "metadata", "createdAt", "updatedAt")
SELECT id, identifier, '{}', CAST(created_at AS TIMESTAMP), CAST(created_at AS TIMESTAMP) FROM seed_users;

INSERT INTO "Thread" ("id", "name", "userId", "metadata", "createdAt", "updatedAt")
SELECT id, name, user_id, '{}', CAST(created_at AS TIMESTAMP), CAST(last_activity_at AS TIMESTAMP) FROM seed_threads;

INSERT INTO "Step" (
    "id", "threadId", "parentId", "type", "name", "input", "output", "metadata", "showInput", "isError", "createdAt",
    "updatedAt", "startTime", "endTime"
)
SELECT
    id, thread_id, parent_id, CAST(type AS "StepType"), name, input, output, CAST(metadata AS JSONB), 'true', FALSE,
    CAST(created_at AS TIMESTAMP), CAST(created_at AS TIMESTAMP), CAST(created_at AS TIMESTAMP),
    CAST(created_at AS TIMESTAMP)
FROM seed_steps
ORDER BY n;

INSERT INTO "Element" ("id", "threadId", "stepId", "metadata", "mime", "name", "objectKey", "display", "props")
SELECT id, thread_id, step_id, '{"type": "file"}', 'text/plain', name, object_key, 'inline', '{}' FROM seed_elements;

INSERT INTO "Feedback" ("id", "stepId", "name", "value")
SELECT id, step_id, 'user_feedback', value FROM seed_feedbacks;
