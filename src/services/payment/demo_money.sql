-- Attempts that are over, as if they had gone their way.
-- name: demo_attempt_insert
INSERT INTO payment_attempt (id, order_id, user_id, event_id, vendor_id, method, brand, provider, provider_key, state, failure, amount_minor, currency, refunded_minor,
                             idem_key, idem_digest, answer_status, next_ms, created_at_ms, updated_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $18);

-- name: demo_charge_insert
INSERT INTO sandbox_charge (provider_key, amount_minor, currency, brand, status, failure, ready_at_ms, refunded_minor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: demo_refund_insert
INSERT INTO payment_refund (id, attempt_id, order_id, amount_minor, currency, status, reason, next_ms, created_at_ms) VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $7);
