-- The numbers of transactions are a server's own. An outbox that came out of another one's dump keeps its positions, and so do those who
-- follow it: whatever is written here counts from an offset above them. The greatest is in force; without any it is 0.
CREATE TABLE outbox_epoch (xid_offset bigint NOT NULL PRIMARY KEY);

CREATE FUNCTION outbox_offset() RETURNS bigint STABLE
    RETURN (SELECT coalesce(max(xid_offset), 0) FROM outbox_epoch);
CREATE FUNCTION outbox_xid() RETURNS bigint VOLATILE
    RETURN pg_current_xact_id()::text::bigint + outbox_offset();
-- What is below was written by transactions that have ended, and none that is under way can still write there.
CREATE FUNCTION outbox_horizon() RETURNS bigint STABLE
    RETURN pg_snapshot_xmin(pg_current_snapshot())::text::bigint + outbox_offset();

ALTER TABLE outbox ALTER COLUMN xid SET DEFAULT outbox_xid();
