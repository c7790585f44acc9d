-- The chainkeep database, as it is now. Accepted as it stands by sqlite3 and by psql:
--
--     sqlite3 chainkeep.db < schema.sql
--     psql -v ON_ERROR_STOP=1 -1 -f schema.sql mydatabase
--
-- chainkeep makes these tables itself on first use; this file is for reading, and for those who
-- prefer to create a database by hand. A test proves that it equals the migrations.
--
-- The model. A *user* has *threads*; a thread has *steps* (messages are steps whose type is a
-- message type; runs, tools and model calls are steps too) that nest by "parentId"; *elements* are
-- what a step shows besides text, their bytes a *blob* named by "objectKey" in a blob store; a step
-- has at most one *feedback*. Tables and columns keep the names that Chainlit documents, so queries
-- written for them go on working; the columns that are ours are marked [ours].
--
--  * Ids are arbitrary text. Times are UTC text of one width, 2026-01-31T23:59:59.000000Z, so that
--    their order as text is their order in time. JSON is text and comes back to the letter.
--  * There are no foreign keys: Chainlit hands a step over before its thread, and an element before
--    its step. The rows are kept in whatever order they arrive and joined when read.
--  * A deleted thread, step or element leaves its row behind as a tombstone, emptied, with
--    "deletedAt" set: a write that comes late finds it and does not bring the dead back.
--  * "position" [ours] is the order in which rows were handed over (microseconds, strictly rising
--    within a process); it settles ties of "createdAt". It is set once and never changes.

CREATE TABLE users (
    "id" TEXT NOT NULL PRIMARY KEY,
    "identifier" TEXT NOT NULL,         -- what the user logs in with
    "displayName" TEXT,                 -- [ours]
    "metadata" TEXT NOT NULL,           -- JSON object
    "createdAt" TEXT NOT NULL
);
CREATE UNIQUE INDEX users_identifier_key ON users ("identifier");

CREATE TABLE threads (
    "id" TEXT NOT NULL PRIMARY KEY,
    "createdAt" TEXT NOT NULL,
    "name" TEXT,
    "userId" TEXT,                      -- users.id; set once, never changed to another
    "userIdentifier" TEXT,
    "tags" TEXT,                        -- JSON array
    "metadata" TEXT NOT NULL,           -- JSON object: Chainlit's user session
    "lastActivityAt" TEXT NOT NULL,     -- [ours] "createdAt" of the newest step; the sidebar's order
    "deletedAt" TEXT,                   -- [ours]
    -- [ours] What only the Thread API writes, from here on; no write of the UI touches it.
    "attributes" TEXT,                  -- JSON object
    "platforms" TEXT,                   -- JSON object: what other platforms call this thread
    "public" BOOLEAN,
    "updatedAt" TEXT,                   -- the newest change that is no message
    "lastPosition" BIGINT,              -- the newest message's "position"; the next is greater
    "restorable" BOOLEAN NOT NULL DEFAULT FALSE, -- deleted for now: nothing in it was emptied
    "orgId" TEXT,                       -- the organisation that it belongs to; set once
    "product" TEXT,                     -- the product that it belongs to; set once
    "unindexed" INTEGER NOT NULL DEFAULT 1, -- changes of name, owner or end that the search index has not seen
    "starred" BOOLEAN NOT NULL DEFAULT FALSE -- [ours] a step in it is a favourite, or once was
);
-- The sidebar's page, newest first.
CREATE INDEX threads_user_activity_idx ON threads ("userId", "lastActivityAt", "id");
-- Everybody's threads, newest first.
CREATE INDEX threads_activity_idx ON threads ("lastActivityAt", "id");
-- The threads of an organisation and of a product, newest first; the others cost nothing here.
CREATE INDEX threads_org_activity_idx ON threads ("orgId", "lastActivityAt", "id") WHERE "orgId" IS NOT NULL;
CREATE INDEX threads_product_activity_idx ON threads ("product", "lastActivityAt", "id") WHERE "product" IS NOT NULL;
-- The few threads that can be restored.
CREATE INDEX threads_restorable_idx ON threads ("deletedAt") WHERE "restorable";
-- The few threads in which a user may have favourites.
CREATE INDEX threads_starred_idx ON threads ("userId") WHERE "starred";
-- The few threads that the search index has not seen.
CREATE INDEX threads_unindexed_idx ON threads ("id") WHERE "unindexed" > 0;

CREATE TABLE steps (
    "id" TEXT NOT NULL PRIMARY KEY,
    "threadId" TEXT NOT NULL,           -- set once: a step never moves to another thread
    "parentId" TEXT,
    "type" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "input" TEXT NOT NULL,
    "output" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "start" TEXT,
    "end" TEXT,
    "command" TEXT,
    "modes" TEXT,                       -- JSON
    "language" TEXT,
    "streaming" BOOLEAN NOT NULL,
    "waitForAnswer" BOOLEAN,
    "isError" BOOLEAN,
    "showInput" TEXT,                   -- true, false, or the language of a code block
    "defaultOpen" BOOLEAN,
    "autoCollapse" BOOLEAN,
    "metadata" TEXT NOT NULL,           -- JSON object
    "tags" TEXT,                        -- JSON array
    "generation" TEXT,                  -- JSON
    "extra" TEXT,                       -- [ours] JSON object: keys that have no column here
    "favorite" BOOLEAN NOT NULL,        -- [ours] metadata.favorite, kept apart to be indexed
    "position" BIGINT NOT NULL,         -- [ours]
    "revision" BIGINT NOT NULL,         -- [ours] 0 until the first update; a create never undoes one
    "deletedAt" TEXT,                   -- [ours]
    -- [ours] What only the Thread API writes, from here on; no write of the UI touches it.
    "role" TEXT,                        -- who speaks; none where "type" says it
    "private" BOOLEAN NOT NULL DEFAULT FALSE, -- kept from the UI
    "replyTo" TEXT,                     -- steps.id of the message that this one answers
    "turn" BIGINT,                      -- "position" of the turn's first message
    "toolCallId" TEXT,                  -- the tool call that this is the result of
    "ext" TEXT,                         -- JSON object: what a message has besides text
    "unindexed" INTEGER NOT NULL DEFAULT 1 -- 0 once the search index has seen the text as it is
);
-- A thread's steps in the order in which they are shown.
CREATE INDEX steps_thread_created_idx ON steps ("threadId", "createdAt", "position");
-- The few steps that somebody starred.
CREATE INDEX steps_favorite_idx ON steps ("threadId") WHERE "favorite";
-- The few messages that the search index has not seen.
CREATE INDEX steps_unindexed_idx ON steps ("threadId")
    WHERE "unindexed" > 0 AND "type" IN ('user_message', 'assistant_message', 'system_message');

CREATE TABLE elements (
    "id" TEXT NOT NULL PRIMARY KEY,
    "threadId" TEXT,                    -- set once: an element never moves to another thread
    "forId" TEXT,                       -- steps.id; none for a task list
    "type" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "display" TEXT NOT NULL,
    "url" TEXT,                         -- an external address, kept as a link
    "objectKey" TEXT,                   -- the blob's key in the blob store
    "chainlitKey" TEXT,
    "mime" TEXT,
    "size" TEXT,
    "language" TEXT,
    "page" INTEGER,
    "props" TEXT,                       -- JSON object
    "autoPlay" BOOLEAN,
    "playerConfig" TEXT,                -- JSON object
    "extra" TEXT,                       -- [ours] JSON object: keys that have no column here
    "createdAt" TEXT NOT NULL,          -- [ours]
    "position" BIGINT NOT NULL,         -- [ours]
    "deletedAt" TEXT,                   -- [ours]
    -- [ours] What only the Thread API writes, from here on; no write of the UI touches it.
    "attributes" TEXT,                  -- JSON object
    "status" TEXT                       -- how far the attachment has come
);
CREATE INDEX elements_thread_idx ON elements ("threadId", "position");
CREATE INDEX elements_for_idx ON elements ("forId");
-- From a blob back to its element, when orphans are looked for.
CREATE INDEX elements_object_key_idx ON elements ("objectKey");

CREATE TABLE feedbacks (
    "id" TEXT NOT NULL PRIMARY KEY,
    "forId" TEXT NOT NULL,              -- steps.id
    "threadId" TEXT,                    -- none where the vote came from a chat platform
    "value" INTEGER NOT NULL,           -- 0 or 1
    "comment" TEXT,
    "createdAt" TEXT NOT NULL,          -- [ours]
    "updatedAt" TEXT NOT NULL           -- [ours]
);
-- One feedback per step.
CREATE UNIQUE INDEX feedbacks_for_key ON feedbacks ("forId");
CREATE INDEX feedbacks_thread_idx ON feedbacks ("threadId");

-- [ours] A thread's attributes and platform references, one row each, so that threads are found by
-- them: JSON text like ["attributes","order",42], or its hash where that is long. ["attributes","order"]
-- says that there is one.
CREATE TABLE thread_facts (
    "fact" TEXT NOT NULL,
    "threadId" TEXT NOT NULL,
    PRIMARY KEY ("fact", "threadId")
);
CREATE INDEX thread_facts_thread_idx ON thread_facts ("threadId");

-- [ours] Who speaks in a thread besides user and assistant.
CREATE TABLE thread_roles (
    "threadId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "userId" TEXT,
    "userName" TEXT,
    "icon" TEXT,
    "description" TEXT,
    "position" BIGINT NOT NULL,
    PRIMARY KEY ("threadId", "name")
);

-- [ours] Who reacted to a message, and how.
CREATE TABLE reactions (
    "stepId" TEXT NOT NULL,
    "emoji" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    PRIMARY KEY ("stepId", "emoji", "userId")
);

-- [ours] What was said up to a message and with it, in short.
CREATE TABLE message_summaries (
    "stepId" TEXT NOT NULL PRIMARY KEY,
    "threadId" TEXT NOT NULL,
    "summary" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL,
    "earlier" TEXT                      -- JSON array of texts: what was kept of those before
);
CREATE INDEX message_summaries_thread_idx ON message_summaries ("threadId");

-- [ours] What a search looks through: titles and messages, folded (no case, composed), written in the
-- background by one process at a time. What is not here yet has "unindexed" > 0, and a search reads it
-- where it is. The trigram index over this table is made by chainkeep where the database can: in
-- SQLite a table of FTS5, search_index, and in PostgreSQL an index of pg_trgm,
-- search_texts_trigram_idx. Without it a search finds the same, slower.
CREATE TABLE search_texts (
    "threadId" TEXT NOT NULL,
    "stepId" TEXT NOT NULL,             -- empty for the thread's title
    "number" BIGINT NOT NULL,           -- what SQLite's index calls it
    "owner" TEXT NOT NULL,              -- three characters made of threads."userId", for the index
    "text" TEXT NOT NULL,
    PRIMARY KEY ("threadId", "stepId")
);
CREATE UNIQUE INDEX search_texts_number_key ON search_texts ("number");

-- [ours] Which process indexes: one row.
CREATE TABLE search_indexer (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "holder" TEXT NOT NULL,
    "until" TEXT NOT NULL,              -- then another process may take over
    "lastNumber" BIGINT NOT NULL        -- the greatest search_texts."number" given away
);
INSERT INTO search_indexer ("id", "holder", "until", "lastNumber") VALUES (1, '', '', 0);

-- [ours] Blobs whose element is gone. A row is written in the transaction that deletes the element
-- and removed when the blob store has deleted the blob, so that none is forgotten in between.
CREATE TABLE blob_deletions (
    "objectKey" TEXT NOT NULL PRIMARY KEY,
    "requestedAt" TEXT NOT NULL
);

-- [ours] How far each file of the journal on some machine's disk was replayed, written in the
-- transaction that replays it, so that no write is replayed twice.
CREATE TABLE journals (
    "id" TEXT NOT NULL PRIMARY KEY,
    "replayedTo" BIGINT NOT NULL,         -- bytes from the start of the file
    "updatedAt" TEXT NOT NULL
);

-- [ours] Which migration this is.
CREATE TABLE chainkeep_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT chainkeep_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO chainkeep_version (version_num) VALUES ('0007');
