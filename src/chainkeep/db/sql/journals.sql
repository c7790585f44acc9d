-- name: journal_progress :one
-- How far a file of the journal was replayed. Carried by the primary key.
SELECT "replayedTo" AS replayed_to
FROM journals
WHERE "id" = :id;

-- name: journal_advance :exec
-- Notes how far a file was replayed, in the transaction that replays it, so that nothing is replayed twice. Carried by
-- the primary key.
INSERT INTO journals ("id", "replayedTo", "updatedAt")
VALUES (:id, :replayed_to, :updated_at)
ON CONFLICT ("id") DO UPDATE SET
    "replayedTo" = excluded."replayedTo",
    "updatedAt" = excluded."updatedAt";

-- name: journal_forget :exec
-- Forgets a file that is replayed whole and deleted. Carried by the primary key.
DELETE FROM journals
WHERE "id" = :id;
