-- What each table and column means: schema.sql.
CREATE TABLE users (
    "id" TEXT NOT NULL PRIMARY KEY,
    "identifier" TEXT NOT NULL,
    "displayName" TEXT,
    "metadata" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL
);
CREATE UNIQUE INDEX users_identifier_key ON users ("identifier");

CREATE TABLE threads (
    "id" TEXT NOT NULL PRIMARY KEY,
    "createdAt" TEXT NOT NULL,
    "name" TEXT,
    "userId" TEXT,
    "userIdentifier" TEXT,
    "tags" TEXT,
    "metadata" TEXT NOT NULL,
    "lastActivityAt" TEXT NOT NULL,
    "deletedAt" TEXT
);
CREATE INDEX threads_user_activity_idx ON threads ("userId", "lastActivityAt", "id");

CREATE TABLE steps (
    "id" TEXT NOT NULL PRIMARY KEY,
    "threadId" TEXT NOT NULL,
    "parentId" TEXT,
    "type" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "input" TEXT NOT NULL,
    "output" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "start" TEXT,
    "end" TEXT,
    "command" TEXT,
    "modes" TEXT,
    "language" TEXT,
    "streaming" BOOLEAN NOT NULL,
    "waitForAnswer" BOOLEAN,
    "isError" BOOLEAN,
    "showInput" TEXT,
    "defaultOpen" BOOLEAN,
    "autoCollapse" BOOLEAN,
    "metadata" TEXT NOT NULL,
    "tags" TEXT,
    "generation" TEXT,
    "extra" TEXT,
    "favorite" BOOLEAN NOT NULL,
    "position" BIGINT NOT NULL,
    "revision" BIGINT NOT NULL,
    "deletedAt" TEXT
);
CREATE INDEX steps_thread_created_idx ON steps ("threadId", "createdAt", "position");
CREATE INDEX steps_parent_idx ON steps ("parentId");
CREATE INDEX steps_favorite_idx ON steps ("threadId") WHERE "favorite";

CREATE TABLE elements (
    "id" TEXT NOT NULL PRIMARY KEY,
    "threadId" TEXT,
    "forId" TEXT,
    "type" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "display" TEXT NOT NULL,
    "url" TEXT,
    "objectKey" TEXT,
    "chainlitKey" TEXT,
    "mime" TEXT,
    "size" TEXT,
    "language" TEXT,
    "page" INTEGER,
    "props" TEXT,
    "autoPlay" BOOLEAN,
    "playerConfig" TEXT,
    "extra" TEXT,
    "createdAt" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "deletedAt" TEXT
);
CREATE INDEX elements_thread_idx ON elements ("threadId", "position");
CREATE INDEX elements_for_idx ON elements ("forId");
CREATE INDEX elements_object_key_idx ON elements ("objectKey");

CREATE TABLE feedbacks (
    "id" TEXT NOT NULL PRIMARY KEY,
    "forId" TEXT NOT NULL,
    "threadId" TEXT,
    "value" INTEGER NOT NULL,
    "comment" TEXT,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL
);
CREATE UNIQUE INDEX feedbacks_for_key ON feedbacks ("forId");
CREATE INDEX feedbacks_thread_idx ON feedbacks ("threadId");

CREATE TABLE blob_deletions (
    "objectKey" TEXT NOT NULL PRIMARY KEY,
    "requestedAt" TEXT NOT NULL
);

CREATE TABLE journals (
    "id" TEXT NOT NULL PRIMARY KEY,
    "replayedTo" BIGINT NOT NULL,
    "updatedAt" TEXT NOT NULL
);
