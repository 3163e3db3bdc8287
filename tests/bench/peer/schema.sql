-- The tables that a team would make of events, with the indexes that these reads need.
CREATE TABLE venue (id text PRIMARY KEY, name text NOT NULL, city text, country text, address text, lat float8, lon float8);
CREATE TABLE artist (id text PRIMARY KEY, name text NOT NULL);
CREATE TABLE event (
    id text PRIMARY KEY,
    slug text UNIQUE NOT NULL,
    name text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    description text,
    url text,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    timezone text NOT NULL,
    whole_day boolean NOT NULL,
    online boolean NOT NULL,
    venue_id text REFERENCES venue,
    currency text NOT NULL,
    payment_methods jsonb NOT NULL,
    policies jsonb NOT NULL,
    limits jsonb NOT NULL,
    vendor_id text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    words tsvector
);
CREATE INDEX event_by_start ON event (starts_at, id) WHERE status = 'published';
CREATE INDEX event_by_words ON event USING gin (words);
CREATE TABLE event_artist (event_id text REFERENCES event, position int, artist_id text REFERENCES artist, PRIMARY KEY (event_id, position));
CREATE TABLE ticket_type (
    id text PRIMARY KEY,
    event_id text NOT NULL REFERENCES event,
    position int NOT NULL,
    name text NOT NULL,
    amount bigint NOT NULL,
    max_per_order int,
    sales_start timestamptz,
    sales_end timestamptz,
    remaining int NOT NULL
);
CREATE INDEX ticket_type_of_event ON ticket_type (event_id, position);
