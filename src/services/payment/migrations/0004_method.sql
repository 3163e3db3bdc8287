-- What vendors can be paid by. An event names the ones it takes; booking knows which.
CREATE TABLE payment_method (
    id UUID PRIMARY KEY,
    vendor_id UUID NOT NULL,
    type TEXT NOT NULL,               -- "card", "bank_transfer"
    label TEXT,
    config BYTEA,                     -- JSON, sealed: account numbers and secrets
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX payment_method_vendor ON payment_method (vendor_id, id);
