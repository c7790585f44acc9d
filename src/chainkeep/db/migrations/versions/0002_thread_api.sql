-- Every column can be left out of an insert, so what Chainlit and other tools write goes on working.

ALTER TABLE threads ADD COLUMN "attributes" TEXT;
ALTER TABLE threads ADD COLUMN "platforms" TEXT;
ALTER TABLE threads ADD COLUMN "public" BOOLEAN;
ALTER TABLE threads ADD COLUMN "updatedAt" TEXT;
ALTER TABLE threads ADD COLUMN "lastPosition" BIGINT;
ALTER TABLE threads ADD COLUMN "restorable" BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX threads_activity_idx ON threads ("lastActivityAt", "id");
CREATE INDEX threads_restorable_idx ON threads ("deletedAt") WHERE "restorable";

ALTER TABLE steps ADD COLUMN "role" TEXT;
ALTER TABLE steps ADD COLUMN "private" BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE steps ADD COLUMN "replyTo" TEXT;
ALTER TABLE steps ADD COLUMN "turn" BIGINT;
ALTER TABLE steps ADD COLUMN "toolCallId" TEXT;
ALTER TABLE steps ADD COLUMN "ext" TEXT;

CREATE TABLE thread_facts (
    "fact" TEXT NOT NULL,
    "threadId" TEXT NOT NULL,
    PRIMARY KEY ("fact", "threadId")
);
CREATE INDEX thread_facts_thread_idx ON thread_facts ("threadId");

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

CREATE TABLE reactions (
    "stepId" TEXT NOT NULL,
    "emoji" TEXT NOT NULL,
    "userId" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    PRIMARY KEY ("stepId", "emoji", "userId")
);

CREATE TABLE message_summaries (
    "stepId" TEXT NOT NULL PRIMARY KEY,
    "threadId" TEXT NOT NULL,
    "summary" TEXT NOT NULL,
    "createdAt" TEXT NOT NULL,
    "updatedAt" TEXT NOT NULL
);
CREATE INDEX message_summaries_thread_idx ON message_summaries ("threadId");
