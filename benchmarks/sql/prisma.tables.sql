-- The tables that ChainlitDataLayer uses, as Prisma makes them: keys are text, times are
-- milliseconds without a zone, and what is looked up is indexed, except a thread's owner.

CREATE TYPE "StepType" AS ENUM (
    'assistant_message', 'embedding', 'llm', 'retrieval', 'rerank', 'run', 'system_message', 'tool', 'undefined',
    'user_message'
);

CREATE TABLE "User" (
    "id" TEXT PRIMARY KEY,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "metadata" JSONB NOT NULL,
    "identifier" TEXT NOT NULL
);
CREATE UNIQUE INDEX user_identifier_key ON "User" ("identifier");

CREATE TABLE "Thread" (
    "id" TEXT PRIMARY KEY,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deletedAt" TIMESTAMP(3),
    "name" TEXT,
    "metadata" JSONB NOT NULL,
    "userId" TEXT REFERENCES "User" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    "tags" TEXT[] DEFAULT CAST(ARRAY[] AS TEXT[])
);
CREATE INDEX thread_created_idx ON "Thread" ("createdAt");
CREATE INDEX thread_name_idx ON "Thread" ("name");

CREATE TABLE "Step" (
    "id" TEXT PRIMARY KEY,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "parentId" TEXT REFERENCES "Step" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    "threadId" TEXT REFERENCES "Thread" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    "input" TEXT,
    "metadata" JSONB NOT NULL,
    "name" TEXT,
    "output" TEXT,
    "type" "StepType" NOT NULL,
    "showInput" TEXT DEFAULT 'json',
    "isError" BOOLEAN DEFAULT FALSE,
    "startTime" TIMESTAMP(3) NOT NULL,
    "endTime" TIMESTAMP(3) NOT NULL
);
CREATE INDEX step_created_idx ON "Step" ("createdAt");
CREATE INDEX step_start_idx ON "Step" ("startTime");
CREATE INDEX step_end_idx ON "Step" ("endTime");
CREATE INDEX step_parent_idx ON "Step" ("parentId");
CREATE INDEX step_thread_idx ON "Step" ("threadId");
CREATE INDEX step_type_idx ON "Step" ("type");
CREATE INDEX step_name_idx ON "Step" ("name");
CREATE INDEX step_thread_start_end_idx ON "Step" ("threadId", "startTime", "endTime");

CREATE TABLE "Element" (
    "id" TEXT PRIMARY KEY,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "threadId" TEXT REFERENCES "Thread" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    "stepId" TEXT NOT NULL REFERENCES "Step" ("id") ON DELETE CASCADE ON UPDATE CASCADE,
    "metadata" JSONB NOT NULL,
    "mime" TEXT,
    "name" TEXT NOT NULL,
    "objectKey" TEXT,
    "url" TEXT,
    "chainlitKey" TEXT,
    "display" TEXT,
    "size" TEXT,
    "language" TEXT,
    "page" INTEGER,
    "props" JSONB
);
CREATE INDEX element_step_idx ON "Element" ("stepId");
CREATE INDEX element_thread_idx ON "Element" ("threadId");

CREATE TABLE "Feedback" (
    "id" TEXT PRIMARY KEY,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "stepId" TEXT REFERENCES "Step" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    "name" TEXT NOT NULL,
    "value" DOUBLE PRECISION NOT NULL,
    "comment" TEXT
);
CREATE INDEX feedback_created_idx ON "Feedback" ("createdAt");
CREATE INDEX feedback_name_idx ON "Feedback" ("name");
CREATE INDEX feedback_step_idx ON "Feedback" ("stepId");
CREATE INDEX feedback_value_idx ON "Feedback" ("value");
