-- Numbers are given out in one order and committed in another. What a transaction wrote is shown once no older transaction can still
-- commit (outbox_horizon, migration 0004), and in the order of transactions: so nothing is ever written before what was already shown.

-- name: outbox_last
SELECT xid, seq FROM outbox WHERE xid < outbox_horizon()
ORDER BY xid DESC, seq DESC LIMIT 1;

-- name: outbox_after
SELECT xid, seq, kind, payload, at_ms FROM outbox
WHERE (xid, seq) > ($1::bigint, $2::bigint) AND xid < outbox_horizon()
ORDER BY xid, seq LIMIT $3;

-- Also those which are not shown yet.
-- name: outbox_ahead
SELECT count(*) FROM (SELECT 1 FROM outbox WHERE (xid, seq) > ($1::bigint, $2::bigint) LIMIT $3) AS rows_ahead;

-- name: outbox_prunable
SELECT xid, seq FROM (
    SELECT xid, seq FROM outbox
    WHERE (xid, seq) <= ($1::bigint, $2::bigint) AND at_ms < $3
      AND (xid, seq) < (SELECT o.xid, o.seq FROM outbox o
                        WHERE o.xid < outbox_horizon()
                        ORDER BY o.xid DESC, o.seq DESC LIMIT 1)
    ORDER BY xid, seq LIMIT $4) AS oldest
ORDER BY xid DESC, seq DESC LIMIT 1;

-- name: outbox_prune
DELETE FROM outbox WHERE (xid, seq) <= ($1::bigint, $2::bigint) AND at_ms < $3;

-- Rows of transactions that this server has yet to begin: another one wrote them, and they came out of a dump.
-- name: outbox_foreign
SELECT 1 FROM outbox WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + outbox_offset() LIMIT 1;

-- They are older than all that is written from now on. Of several processes that start at once one finds them so.
-- name: outbox_adopt
INSERT INTO outbox_epoch (xid_offset) SELECT max(xid) + 1 FROM outbox
HAVING max(xid) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint + outbox_offset()
ON CONFLICT DO NOTHING;
