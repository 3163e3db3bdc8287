-- Levels are (version << 24) | remaining, as stock_level in stock.h. A row is read before it is changed, and what it becomes is
-- reckoned: RETURNING takes SQLite ten times as long as the UPDATE itself.

-- name: stock_open
INSERT INTO ticket_type_stock (id, event_id, total, remaining) VALUES ($1, $2, $3, $3);

-- name: stock_find
SELECT (version << 24) | remaining, event_id, total, ever_held FROM ticket_type_stock WHERE id = $1;

-- $2 is below 0: the guard that admits.
-- name: stock_take
UPDATE ticket_type_stock SET remaining = remaining + $2, version = version + 1, ever_held = 1
WHERE id = $1 AND remaining + $2 >= 0;

-- name: stock_put_back
UPDATE ticket_type_stock SET remaining = remaining + $2, version = version + 1 WHERE id = $1;

-- name: stock_resize
UPDATE ticket_type_stock SET total = total + $2, remaining = remaining + $2, version = version + 1 WHERE id = $1;

-- name: stock_close
DELETE FROM ticket_type_stock WHERE id = $1;

-- name: stock_ledger_add
INSERT INTO stock_ledger (ticket_type_id, order_id, kind, quantity, at_ms)
VALUES ($1, $2, $3, $4, $5);

-- name: stock_levels
SELECT id, (version << 24) | remaining FROM ticket_type_stock;

-- name: stock_levels_of_event
SELECT id, (version << 24) | remaining FROM ticket_type_stock WHERE event_id = $1;
