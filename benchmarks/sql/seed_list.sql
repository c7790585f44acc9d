-- name: add :exec
-- A thread to be made.
INSERT INTO seed_list (n, owner, steps, first_step, common, rare, favorite)
VALUES (:n, :owner, :steps, :first_step, :common, :rare, :favorite);
