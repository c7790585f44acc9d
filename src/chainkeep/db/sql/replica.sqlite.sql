-- name: wal_position :one
-- Nowhere: nothing follows a file of SQLite.
SELECT '0/0' AS place;

-- name: wal_replayed :one
-- Never: nothing follows a file of SQLite.
SELECT CAST(:place AS TEXT) IS NULL AS replayed;
