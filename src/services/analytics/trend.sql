-- Nothing happens where the order is known already.
-- name: purchase_insert
INSERT INTO purchase (order_id, event_id, user_id, at_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (order_id) DO NOTHING;

-- name: purchase_find
SELECT event_id, user_id, at_ms FROM purchase WHERE order_id = $1;

-- name: purchase_delete
DELETE FROM purchase WHERE order_id = $1;

-- How many orders of the event the buyer has.
-- name: purchase_count
SELECT count(*) FROM purchase WHERE event_id = $1 AND user_id = $2;

-- name: purchase_forget
DELETE FROM purchase WHERE at_ms < $1;

-- name: trend_find
SELECT score, buyers, at_ms FROM trend WHERE event_id = $1;

-- name: trend_put
INSERT INTO trend (event_id, score, buyers, at_ms) VALUES ($1, $2, $3, $4)
ON CONFLICT (event_id) DO UPDATE SET score = excluded.score, buyers = excluded.buyers, at_ms = excluded.at_ms;

-- What sold behind $1, to at least $2 buyers.
-- name: trend_list
SELECT event_id, score, at_ms FROM trend WHERE at_ms > $1 AND buyers >= $2;

-- name: trend_forget
DELETE FROM trend WHERE at_ms < $1;
