-- A request for an order that another attempt pays already: its row keeps its idempotency key, which answers with that attempt.
ALTER TABLE payment_attempt ADD COLUMN answers_with UUID;
