-- Whoever changes the event waits until the hold that was priced by it is committed.
-- name: hold_event
SELECT version, status FROM event_key WHERE id = $1 FOR SHARE;
