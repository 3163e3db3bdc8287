-- What a service tells the others, how far it has heard them, and how far they have heard it.
CREATE TABLE outbox (
    seq     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind    text   NOT NULL,
    payload text   NOT NULL,
    at_ms   bigint NOT NULL,
    xid     bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint -- numbers commit out of order
);
CREATE INDEX outbox_order ON outbox (xid, seq);

CREATE TABLE feed_cursor (
    source text   NOT NULL PRIMARY KEY,
    seq    bigint NOT NULL
);

CREATE TABLE feed_reader (
    consumer text   NOT NULL PRIMARY KEY,
    seq      bigint NOT NULL
);
