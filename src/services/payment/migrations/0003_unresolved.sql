-- Why a refund is not through yet; what failed for good is found by an index of its own.
ALTER TABLE payment_refund ADD COLUMN failure TEXT;
CREATE INDEX payment_refund_failed ON payment_refund (id) WHERE status = 2;
