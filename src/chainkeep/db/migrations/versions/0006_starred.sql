ALTER TABLE threads ADD COLUMN "starred" BOOLEAN NOT NULL DEFAULT FALSE;

UPDATE threads SET "starred" = TRUE
WHERE "id" IN (SELECT steps."threadId" FROM steps WHERE steps."favorite");

CREATE INDEX threads_starred_idx ON threads ("userId") WHERE "starred";
