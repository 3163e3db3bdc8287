-- The policies of an event by the version that began them: an order is given back by those that it was sold under.
CREATE TABLE event_terms (
    event_id UUID NOT NULL,
    version BIGINT NOT NULL,          -- of the event: in force until the next row's
    policies TEXT NOT NULL,           -- JSON
    PRIMARY KEY (event_id, version)
);
INSERT INTO event_terms (event_id, version, policies) SELECT event_id, 0, policies FROM event_document;
ALTER TABLE order_state ADD COLUMN event_version BIGINT NOT NULL DEFAULT 0; -- that it was priced by
