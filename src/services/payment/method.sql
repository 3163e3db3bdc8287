-- name: method_insert
INSERT INTO payment_method (id, vendor_id, type, label, config, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6);

-- name: method_count
SELECT count(*) FROM payment_method WHERE vendor_id = $1;

-- name: method_find
SELECT vendor_id, type, label, config FROM payment_method WHERE id = $1;

-- Those of a vendor behind $2, in the order they were made.
-- name: method_list
SELECT id, vendor_id, type, label, config FROM payment_method WHERE vendor_id = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: method_update
UPDATE payment_method SET label = $2, config = $3 WHERE id = $1;

-- name: method_delete
DELETE FROM payment_method WHERE id = $1;
