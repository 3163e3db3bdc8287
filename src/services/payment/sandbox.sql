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

-- Charges and the attempts that they belong to, side by side: what differs is the audit's finding. Captured (3) is right while an attempt is
-- capturing, captured or succeeded (5, 6, 10); authorised (2) is wrong once it is over.
-- name: sandbox_audit_charges
SELECT c.provider_key
FROM sandbox_charge c LEFT JOIN payment_attempt a ON a.provider_key = c.provider_key
WHERE (c.status = 3 AND (a.id IS NULL OR a.amount_minor <> c.amount_minor OR a.currency <> c.currency
                         OR a.state NOT IN (5, 6, 10) OR a.refunded_minor < c.refunded_minor))
   OR (c.status = 2 AND (a.id IS NULL OR a.state >= 10))
   OR c.refunded_minor <> coalesce((SELECT sum(r.amount_minor) FROM sandbox_refund r WHERE r.charge_key = c.provider_key), 0)
LIMIT 1;

-- Attempts that are paid (6, 10), and what was given back of them: the sandbox must have captured and refunded as much.
-- name: sandbox_audit_attempts
SELECT a.id
FROM payment_attempt a LEFT JOIN sandbox_charge c ON c.provider_key = a.provider_key
WHERE a.provider = 'sandbox' AND a.state IN (6, 10)
  AND (c.provider_key IS NULL OR c.status <> 3
       OR c.refunded_minor < coalesce((SELECT sum(r.amount_minor) FROM payment_refund r WHERE r.attempt_id = a.id AND r.status = 1), 0))
LIMIT 1;
