-- Card payments on a provider's page, and what Stripe knows our keys by.
ALTER TABLE payment_attempt ADD COLUMN hosted INTEGER NOT NULL DEFAULT 0; -- 1: the buyer pays on a page of the provider's
ALTER TABLE payment_attempt ADD COLUMN brands TEXT; -- "visa mastercard": the cards that the event takes; NULL: any
CREATE TABLE stripe_charge (
    provider_key TEXT PRIMARY KEY,
    session_id TEXT,                  -- of the page, if the buyer pays on one
    intent_id TEXT,                   -- the PaymentIntent
    round INTEGER NOT NULL DEFAULT 0, -- goes into the Idempotency-Key: Stripe has kept an answer of no use under the ones before
    is_void INTEGER NOT NULL DEFAULT 0 -- 1: nothing may be charged any more
);
CREATE INDEX stripe_charge_intent ON stripe_charge (intent_id);
CREATE TABLE stripe_refund (
    provider_key TEXT PRIMARY KEY,
    refund_id TEXT,                   -- of this round
    round INTEGER NOT NULL DEFAULT 0
);
