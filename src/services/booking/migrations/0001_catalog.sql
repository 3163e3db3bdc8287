-- What is on offer. Hot and narrow apart from cold and wide: event_key | event_document, ticket_type_stock | ticket_type.

CREATE TABLE venue (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    city TEXT,
    country TEXT,
    address TEXT,
    lat DOUBLE PRECISION,
    lon DOUBLE PRECISION,
    folded TEXT NOT NULL UNIQUE -- name, city and country folded: the same place typed twice is one venue
);

CREATE TABLE artist (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE
);

CREATE TABLE event_key (
    id UUID PRIMARY KEY,
    vendor_id UUID NOT NULL,
    status INTEGER NOT NULL,          -- enum event_status: draft, published, cancelled
    version BIGINT NOT NULL,          -- the entity tag; a hold is priced by one version and admitted only under it
    starts_at_ms BIGINT NOT NULL,
    ends_at_ms BIGINT NOT NULL CHECK (ends_at_ms >= starts_at_ms)
);
CREATE INDEX event_key_vendor ON event_key (vendor_id, id);

CREATE TABLE event_document (
    event_id UUID PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    import_key TEXT UNIQUE,           -- vendor and url, UID, or name and start: an import repeats without doubles
    type INTEGER NOT NULL,            -- enum event_type
    name TEXT NOT NULL,
    description TEXT,
    url TEXT,
    timezone TEXT NOT NULL,           -- IANA
    local_start TEXT NOT NULL,        -- the wall time that was meant: "2026-12-05T20:00:00"
    local_end TEXT NOT NULL,
    whole_day INTEGER NOT NULL,
    online INTEGER NOT NULL,
    venue_id UUID,
    currency TEXT NOT NULL,
    payment_methods TEXT NOT NULL,    -- JSON: [{type, label, payment_method_id}]
    policies TEXT NOT NULL,           -- JSON
    limits TEXT NOT NULL,             -- JSON
    checkin_opens_at_ms BIGINT,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

CREATE TABLE event_artist (
    event_id UUID NOT NULL,
    position INTEGER NOT NULL,
    artist_id UUID NOT NULL,
    PRIMARY KEY (event_id, position)
);

CREATE TABLE ticket_type (
    id UUID PRIMARY KEY,
    event_id UUID NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
    max_per_order BIGINT,
    sales_start_ms BIGINT,
    sales_end_ms BIGINT
);
CREATE INDEX ticket_type_event ON ticket_type (event_id, position);
