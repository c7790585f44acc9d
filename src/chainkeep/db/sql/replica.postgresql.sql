-- name: wal_position :one
-- Where in its log the primary is: all that was committed before is before it. PostgreSQL's own log.
SELECT CAST(pg_current_wal_insert_lsn() AS TEXT) AS place;

-- name: wal_replayed :one
-- Whether this is a replica that has replayed the log as far as a place. PostgreSQL's own log.
SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() >= CAST(CAST(:place AS TEXT) AS PG_LSN) AS replayed;
