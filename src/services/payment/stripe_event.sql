-- name: stripe_event_insert
INSERT INTO stripe_event (id, type, object_id, payment, refund, next_ms, received_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (id) DO NOTHING;

-- name: stripe_event_due
SELECT id, type, object_id, payment, refund, tries, next_ms FROM stripe_event WHERE done_at_ms IS NULL ORDER BY next_ms, id LIMIT 1;

-- name: stripe_event_lease
UPDATE stripe_event SET next_ms = $3, tries = tries + 1 WHERE id = $1 AND next_ms = $2 AND done_at_ms IS NULL;

-- name: stripe_event_later
UPDATE stripe_event SET next_ms = $2 WHERE id = $1 AND done_at_ms IS NULL;

-- name: stripe_event_done
UPDATE stripe_event SET done_at_ms = $2 WHERE id = $1;

-- name: stripe_event_forget
DELETE FROM stripe_event WHERE done_at_ms < $1;

-- name: stripe_cursor_find
SELECT since_s FROM stripe_cursor WHERE id = 1;

-- name: stripe_cursor_write
INSERT INTO stripe_cursor (id, since_s) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET since_s = $1 WHERE stripe_cursor.since_s < $1;

-- The attempt that a charge is of.
-- name: stripe_dispute_attempt
SELECT a.id FROM stripe_charge c JOIN payment_attempt a ON a.provider_key = c.provider_key WHERE c.intent_id = $1;

-- name: stripe_dispute_write
INSERT INTO payment_dispute (id, provider_id, attempt_id, order_id, amount_minor, currency, status, reason, is_over, created_at_ms, updated_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
ON CONFLICT (provider_id) DO UPDATE SET status = $7, is_over = $9, amount_minor = $5, updated_at_ms = $10;

-- name: stripe_dispute_find
SELECT id FROM payment_dispute WHERE provider_id = $1;
