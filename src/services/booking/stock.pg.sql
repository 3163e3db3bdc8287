-- What was read holds until the commit, as it does where there is one writer.
-- name: stock_find
SELECT (version << 24) | remaining, event_id, total, ever_held FROM ticket_type_stock WHERE id = $1 FOR UPDATE;
