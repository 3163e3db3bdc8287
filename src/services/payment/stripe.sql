-- What Stripe knows our keys by, and which of several Idempotency-Keys counts.

-- name: stripe_charge_insert
INSERT INTO stripe_charge (provider_key) VALUES ($1) ON CONFLICT (provider_key) DO NOTHING;

-- name: stripe_charge_find
SELECT session_id, intent_id, round, is_void FROM stripe_charge WHERE provider_key = $1;

-- The first object that was made for a key counts.
-- name: stripe_charge_session
UPDATE stripe_charge SET session_id = $2 WHERE provider_key = $1 AND session_id IS NULL AND is_void = 0;

-- name: stripe_charge_intent
UPDATE stripe_charge SET intent_id = $2 WHERE provider_key = $1 AND intent_id IS NULL;

-- name: stripe_charge_round
UPDATE stripe_charge SET round = $3 WHERE provider_key = $1 AND round = $2;

-- name: stripe_charge_void
INSERT INTO stripe_charge (provider_key, is_void) VALUES ($1, 1) ON CONFLICT (provider_key) DO UPDATE SET is_void = 1;

-- name: stripe_refund_insert
INSERT INTO stripe_refund (provider_key) VALUES ($1) ON CONFLICT (provider_key) DO NOTHING;

-- name: stripe_refund_find
SELECT refund_id, round FROM stripe_refund WHERE provider_key = $1;

-- name: stripe_refund_made
UPDATE stripe_refund SET refund_id = $3 WHERE provider_key = $1 AND round = $2;

-- The next one is another refund, under another Idempotency-Key.
-- name: stripe_refund_round
UPDATE stripe_refund SET round = $3, refund_id = NULL WHERE provider_key = $1 AND round = $2;
