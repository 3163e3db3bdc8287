-- name: ticket_end
UPDATE ticket SET status = $2, generation = generation + 1 WHERE id = $1 AND status = 0;
