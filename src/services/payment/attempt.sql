-- States are the numbers of enum attempt_state: below 9 somebody has something to do, 9 waits for staff, 10 and above are over.

-- name: attempt_insert
INSERT INTO payment_attempt (id, order_id, user_id, method, provider, provider_key, state, amount_minor, currency, idem_key, idem_digest, next_ms, created_at_ms, updated_at_ms,
                             hosted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14);

-- name: attempt_find
SELECT id, order_id, user_id, event_id, vendor_id, method, brand, provider, state, failure, redirect_url, amount_minor, currency, refunded_minor, idem_key,
       idem_digest, answer_status, tries, created_at_ms, answers_with, next_ms, hosted, brands
FROM payment_attempt WHERE id = $1;

-- name: attempt_find_key
SELECT id, order_id, user_id, event_id, vendor_id, method, brand, provider, state, failure, redirect_url, amount_minor, currency, refunded_minor, idem_key,
       idem_digest, answer_status, tries, created_at_ms, answers_with, next_ms, hosted, brands
FROM payment_attempt WHERE user_id = $1 AND idem_key = $2;

-- Captured or succeeded.
-- name: attempt_paid_of
SELECT id, order_id, user_id, event_id, vendor_id, method, brand, provider, state, failure, redirect_url, amount_minor, currency, refunded_minor, idem_key,
       idem_digest, answer_status, tries, created_at_ms, answers_with, next_ms, hosted, brands
FROM payment_attempt WHERE order_id = $1 AND state IN (6, 10) ORDER BY id DESC LIMIT 1;

-- Cash and transfers: captured, waiting or succeeded without a provider.
-- name: attempt_by_hand_of
SELECT id, order_id, user_id, event_id, vendor_id, method, brand, provider, state, failure, redirect_url, amount_minor, currency, refunded_minor, idem_key,
       idem_digest, answer_status, tries, created_at_ms, answers_with, next_ms, hosted, brands
FROM payment_attempt WHERE order_id = $1 AND state IN (4, 6, 9, 10) AND provider IS NULL AND method <> 'free' ORDER BY id DESC LIMIT 1;

-- name: attempt_remove
DELETE FROM payment_attempt WHERE id = $1 AND state = 0;

-- name: attempt_move
UPDATE payment_attempt
SET state = $3, event_id = $4, vendor_id = $5, brand = $6, failure = $7, redirect_url = $8, amount_minor = $9, currency = $10, tries = 0, next_ms = $11, updated_at_ms = $12,
    brands = $13
WHERE id = $1 AND state = $2;

-- name: attempt_look_again
UPDATE payment_attempt SET next_ms = $3 WHERE id = $1 AND next_ms = $2 AND state < 9;

-- From AUTHORISING (1) and REQUIRES_ACTION (2), which wait for the provider. Who has a lease of it finds that it is another's, and leaves it.
-- name: attempt_look_now
UPDATE payment_attempt SET next_ms = $2 WHERE id = $1 AND state IN (1, 2) AND next_ms > $2;

-- name: attempt_refer
UPDATE payment_attempt SET state = $3, answers_with = $4, updated_at_ms = $5 WHERE id = $1 AND state = $2;

-- name: attempt_answered
UPDATE payment_attempt SET answer_status = CASE WHEN answer_status = 0 THEN $2 ELSE answer_status END WHERE id = $1
RETURNING answer_status;

-- name: attempt_forget_key
UPDATE payment_attempt SET idem_key = NULL WHERE id = $1 AND answer_status = 0;

-- name: attempt_due
SELECT id, next_ms FROM payment_attempt WHERE state < 9 ORDER BY next_ms LIMIT 1;

-- name: attempt_lease
UPDATE payment_attempt SET next_ms = $3, tries = tries + 1 WHERE id = $1 AND next_ms = $2 AND state < 9;

-- One that waits is void (12). One whose driver has not written yet that it waits (4) is aborted (8) by the next who comes.
-- name: attempt_forgo
UPDATE payment_attempt SET state = CASE WHEN state = 9 THEN 12 ELSE 8 END, failure = $2, tries = 0, next_ms = $3, updated_at_ms = $3
WHERE order_id = $1 AND state IN (4, 9);

-- name: attempt_all_due
UPDATE payment_attempt SET next_ms = 0 WHERE state < 9;

-- name: attempt_refund
UPDATE payment_attempt SET refunded_minor = refunded_minor + $2 WHERE id = $1 AND state = 10 AND refunded_minor + $2 <= amount_minor;

-- name: attempt_refund_undo
UPDATE payment_attempt SET refunded_minor = refunded_minor - $2 WHERE id = $1;
