-- All rows there are count as not indexed: the indexer finds them, and a search reads them meanwhile.

ALTER TABLE threads ADD COLUMN "unindexed" INTEGER NOT NULL DEFAULT 1;
CREATE INDEX threads_unindexed_idx ON threads ("id") WHERE "unindexed" > 0;

ALTER TABLE steps ADD COLUMN "unindexed" INTEGER NOT NULL DEFAULT 1;
CREATE INDEX steps_unindexed_idx ON steps ("threadId")
    WHERE "unindexed" > 0 AND "type" IN ('user_message', 'assistant_message', 'system_message');

CREATE TABLE search_texts (
    "threadId" TEXT NOT NULL,
    "stepId" TEXT NOT NULL,
    "number" BIGINT NOT NULL,
    "owner" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    PRIMARY KEY ("threadId", "stepId")
);
CREATE UNIQUE INDEX search_texts_number_key ON search_texts ("number");

CREATE TABLE search_indexer (
    "id" INTEGER NOT NULL PRIMARY KEY,
    "holder" TEXT NOT NULL,
    "until" TEXT NOT NULL,
    "lastNumber" BIGINT NOT NULL
);
INSERT INTO search_indexer ("id", "holder", "until", "lastNumber") VALUES (1, '', '', 0);
