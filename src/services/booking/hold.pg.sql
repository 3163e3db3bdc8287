-- Whoever changes the event waits until the hold that was priced by it is committed.
-- name: hold_event
SELECT version, status FROM event_key WHERE id = $1 FOR SHARE;

-- What a batch of holds goes by, in one round trip: 0 the events $1, 1 the stock rows $2, 2 the orders that the keys ($3, $4) have, with the
-- place of the key (from 1). Locks are taken in this order, and by id,
-- so that batches of several processes queue for each other and do not deadlock: each part begins when the one before it is done.
-- only: hold_many_look
WITH event AS MATERIALIZED (
    SELECT id, version, status FROM event_key WHERE id = ANY ($1) ORDER BY id FOR SHARE
), stock AS MATERIALIZED (
    SELECT id, version, remaining FROM ticket_type_stock
    WHERE id = ANY ($2) AND (SELECT count(*) FROM event) >= 0 ORDER BY id FOR NO KEY UPDATE
), held AS MATERIALIZED (
    SELECT s.id, k.place, s.idem_digest
    FROM unnest($3::uuid[], $4::text[]) WITH ORDINALITY AS k (user_id, idem_key, place)
    CROSS JOIN LATERAL (SELECT id, idem_digest FROM order_state WHERE user_id = k.user_id AND idem_key = k.idem_key LIMIT 1) AS s
)
SELECT 0, id, version, status::bigint, NULL::bytea FROM event
UNION ALL SELECT 1, id, version, remaining, NULL FROM stock
UNION ALL SELECT 2, id, place, 0, idem_digest FROM held;

-- The rows are locked and what they have is known; CHECK (remaining >= 0) has the last word all the same.
-- only: hold_many_take
UPDATE ticket_type_stock AS s SET remaining = s.remaining - t.quantity, version = s.version + t.times, ever_held = 1
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS t (id, quantity, times)
WHERE s.id = t.id;

-- only: hold_many_insert
INSERT INTO order_state (id, user_id, event_id, status, expires_at_ms, hold_ms, total_minor, currency,
                         idem_key, idem_digest, created_at_ms, event_version)
SELECT id, user_id, event_id, 0, expires_at_ms, hold_ms, total_minor, currency, idem_key, idem_digest, created_at_ms, event_version
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::bytea[], $10::bigint[],
            $11::bigint[])
    AS o (id, user_id, event_id, expires_at_ms, hold_ms, total_minor, currency, idem_key, idem_digest, created_at_ms, event_version);

-- only: hold_many_insert_items
INSERT INTO order_item (order_id, ticket_type_id, quantity, unit_price_minor)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]);

-- only: hold_many_insert_money
INSERT INTO order_item_money (order_id, ticket_type_id, discount_minor, buyer_fee_minor, vendor_fee_minor, tax_minor, tax_included_minor)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]);

-- Kind 1: STOCK_HOLD.
-- only: hold_many_ledger
INSERT INTO stock_ledger (ticket_type_id, order_id, kind, quantity, at_ms)
SELECT type_id, order_id, 1, -quantity, at_ms
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS l (order_id, type_id, quantity, at_ms, place)
ORDER BY place;

-- only: hold_many_attendees
INSERT INTO order_detail (order_id, attendees) SELECT * FROM unnest($1::uuid[], $2::text[]);
