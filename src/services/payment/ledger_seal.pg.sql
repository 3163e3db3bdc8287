-- Whoever chains has the row; another process that comes meanwhile finds none and leaves it to him.
-- name: ledger_head_take
SELECT seq, hash FROM ledger_head WHERE id = 1 FOR UPDATE SKIP LOCKED;
