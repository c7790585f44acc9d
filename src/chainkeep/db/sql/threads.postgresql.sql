-- name: thread_erase :many
-- Removes all that is in a thread and notes that its blobs are to go, as thread_clear_feedbacks, thread_clear_reactions,
-- thread_clear_summaries, thread_clear_roles, thread_forget_facts, thread_clear_elements, thread_clear_steps and
-- blob_deletion_request do; the blobs' keys. One statement saves eight waits for the server, and SQLite has no server to
-- wait for. Runs after thread_delete, so that it sees the last write that got the thread before. The steps' ids are
-- one array, or PostgreSQL would read everybody's votes and reactions where they are not many yet. Carried by
-- elements_thread_idx, steps_thread_created_idx, feedbacks_thread_idx, feedbacks_for_key, message_summaries_thread_idx,
-- thread_facts_thread_idx and the primary keys.
WITH said AS (
    DELETE FROM steps
    WHERE "threadId" = CAST(:thread_id AS TEXT)
    RETURNING "id"
),
voted AS (
    DELETE FROM feedbacks
    WHERE "threadId" = CAST(:thread_id AS TEXT)
        OR "forId" = ANY (ARRAY(SELECT said."id" FROM said))
),
reacted AS (
    DELETE FROM reactions
    WHERE "stepId" = ANY (ARRAY(SELECT said."id" FROM said))
),
summarized AS (
    DELETE FROM message_summaries
    WHERE "threadId" = CAST(:thread_id AS TEXT)
),
spoken AS (
    DELETE FROM thread_roles
    WHERE "threadId" = CAST(:thread_id AS TEXT)
),
known AS (
    DELETE FROM thread_facts
    WHERE "threadId" = CAST(:thread_id AS TEXT)
),
shown AS (
    DELETE FROM elements
    WHERE "threadId" = CAST(:thread_id AS TEXT)
    RETURNING "objectKey", "position", "deletedAt"
),
file AS (
    SELECT shown."objectKey" AS object_key, shown."position" AS position
    FROM shown
    WHERE shown."objectKey" <> ''
        AND shown."deletedAt" IS NULL
),
requested AS (
    INSERT INTO blob_deletions ("objectKey", "requestedAt")
    SELECT file.object_key, CAST(:requested_at AS TEXT)
    FROM file
    ON CONFLICT ("objectKey") DO NOTHING
)
SELECT file.object_key AS object_key
FROM file
ORDER BY file.position;
