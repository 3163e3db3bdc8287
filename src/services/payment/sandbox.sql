-- name: sandbox_charge_insert
INSERT INTO sandbox_charge (provider_key, amount_minor, currency, brand, status, failure, ready_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (provider_key) DO NOTHING;

-- name: sandbox_charge_find
SELECT status, failure, brand, ready_at_ms FROM sandbox_charge WHERE provider_key = $1;

-- name: sandbox_charge_move
UPDATE sandbox_charge SET status = $3 WHERE provider_key = $1 AND status = $2;

-- name: sandbox_refund_insert
INSERT INTO sandbox_refund (provider_key, charge_key, amount_minor) VALUES ($1, $2, $3) ON CONFLICT (provider_key) DO NOTHING;

-- name: sandbox_charge_refund
UPDATE sandbox_charge SET refunded_minor = refunded_minor + $2 WHERE provider_key = $1 AND status = 3 AND refunded_minor + $2 <= amount_minor;
