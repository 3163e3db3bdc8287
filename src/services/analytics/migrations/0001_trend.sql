-- Who bought what, for as long as it counts, and what sells now.

CREATE TABLE purchase (
    order_id UUID PRIMARY KEY,
    event_id UUID NOT NULL,
    user_id UUID NOT NULL,
    at_ms BIGINT NOT NULL
);
CREATE INDEX purchase_buyer ON purchase (event_id, user_id);
CREATE INDEX purchase_age ON purchase (at_ms);

CREATE TABLE trend (
    event_id UUID PRIMARY KEY,
    score DOUBLE PRECISION NOT NULL,  -- buyers, each halved with every half-life that has passed, as of at_ms
    buyers BIGINT NOT NULL,           -- the same, not halved
    at_ms BIGINT NOT NULL
);
CREATE INDEX trend_age ON trend (at_ms);
