-- Some thousand rows for every table that grows, the same in both databases: 2,000 users, of whom
-- 40 have a hundred threads each, with five steps, an element and a vote in every thread.

INSERT INTO users ("id", "identifier", "metadata", "createdAt")
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1999)
SELECT 'user-' || n, 'person-' || n, '{}', '2026-01-01T00:00:00.' || SUBSTR(CAST(1000000 + n AS TEXT), 2) || 'Z'
FROM numbers;

INSERT INTO threads (
    "id", "createdAt", "name", "userId", "userIdentifier", "metadata", "lastActivityAt", "orgId", "product"
)
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3999)
SELECT
    'thread-' || n,
    '2026-01-01T00:00:00.' || SUBSTR(CAST(1000000 + n AS TEXT), 2) || 'Z',
    'Title ' || n,
    'user-' || (n % 40),
    'person-' || (n % 40),
    '{}',
    '2026-01-01T00:00:00.' || SUBSTR(CAST(1000000 + n AS TEXT), 2) || 'Z',
    'org-' || (n % 40),
    'product-' || (n % 40)
FROM numbers;

INSERT INTO steps (
    "id", "threadId", "parentId", "type", "name", "input", "output", "createdAt", "streaming", "metadata", "favorite",
    "position", "revision"
)
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 19999)
SELECT
    'step-' || n,
    'thread-' || (n % 4000),
    CASE WHEN n >= 4000 THEN 'step-' || (n % 4000) END,
    CASE WHEN n >= 4000 THEN 'assistant_message' ELSE 'run' END,
    'bot',
    '',
    'output ' || n,
    '2026-01-01T00:00:00.' || SUBSTR(CAST(1000000 + n AS TEXT), 2) || 'Z',
    FALSE,
    '{}',
    n % 400 = 7,
    n,
    0
FROM numbers;

INSERT INTO elements ("id", "threadId", "forId", "type", "name", "display", "objectKey", "createdAt", "position")
SELECT 'element-' || "position", "threadId", "id", 'file', 'name', 'inline', 'object-' || "position", "createdAt", "position"
FROM steps
WHERE "position" < 4000;

INSERT INTO feedbacks ("id", "forId", "threadId", "value", "createdAt", "updatedAt")
SELECT 'feedback-' || "position", "id", "threadId", "position" % 2, "createdAt", "createdAt"
FROM steps
WHERE "position" < 4000;

INSERT INTO blob_deletions ("objectKey", "requestedAt")
SELECT 'gone-' || "position", "createdAt"
FROM steps
WHERE "position" < 2000;

INSERT INTO thread_facts ("fact", "threadId")
SELECT '["attributes","a",' || CAST("position" % 100 AS TEXT) || ']', "threadId"
FROM steps
WHERE "position" < 4000;

INSERT INTO reactions ("stepId", "emoji", "userId", "createdAt", "position")
SELECT "id", '+1', 'ada', "createdAt", "position"
FROM steps;

INSERT INTO message_summaries ("stepId", "threadId", "summary", "createdAt", "updatedAt")
SELECT "id", "threadId", 'short', "createdAt", "createdAt"
FROM steps;

INSERT INTO thread_roles ("threadId", "name", "position")
SELECT "threadId", 'bot', "position"
FROM steps
WHERE "position" < 4000;

UPDATE threads SET "starred" = TRUE WHERE "id" IN (SELECT "threadId" FROM steps WHERE "favorite");

UPDATE threads SET "unindexed" = 0 WHERE "id" <> 'thread-77';

UPDATE steps SET "unindexed" = 0 WHERE "threadId" <> 'thread-77';

INSERT INTO search_texts ("threadId", "stepId", "number", "owner", "text")
SELECT "threadId", "id", "position", '7ab', "output"
FROM steps
WHERE "type" = 'assistant_message';
