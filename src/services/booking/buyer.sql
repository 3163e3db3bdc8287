-- name: buyer_add
UPDATE event_buyer SET quantity = quantity + $3
WHERE user_id = $1 AND event_id = $2 AND quantity + $3 <= $4;

-- name: buyer_find
SELECT quantity FROM event_buyer WHERE user_id = $1 AND event_id = $2;

-- What the user has of an event that did not count so far: $3 and $4 are the ticket states that stand for an admission.
-- name: buyer_count
SELECT CAST(
    (SELECT coalesce(sum(i.quantity), 0)
     FROM order_state s JOIN order_item i ON i.order_id = s.id
     WHERE s.user_id = $1 AND s.event_id = $2 AND s.status IN (0, 1) -- held, pending
       AND NOT EXISTS (SELECT 1 FROM ticket t WHERE t.order_id = s.id))
  + (SELECT count(*) FROM ticket WHERE user_id = $1 AND event_id = $2 AND status IN ($3, $4)) AS BIGINT);

-- name: buyer_insert
INSERT INTO event_buyer (user_id, event_id, quantity) VALUES ($1, $2, $3);

-- name: buyer_subtract
UPDATE event_buyer SET quantity = CASE WHEN quantity > $3 THEN quantity - $3 ELSE 0 END
WHERE user_id = $1 AND event_id = $2;
