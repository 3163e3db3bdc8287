-- name: sale_insert
INSERT INTO payment_sale (attempt_id, timezone) VALUES ($1, $2);

-- name: sale_line_insert
INSERT INTO payment_sale_line (attempt_id, line, ticket_type_id, quantity, face_minor, discount_minor, buyer_fee_minor, vendor_fee_minor, tax_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: sale_line_delete
DELETE FROM payment_sale_line WHERE attempt_id = $1;

-- name: sale_find
SELECT s.timezone, l.ticket_type_id, l.quantity, l.face_minor, l.discount_minor, l.buyer_fee_minor, l.vendor_fee_minor, l.tax_minor
FROM payment_sale s LEFT JOIN payment_sale_line l ON l.attempt_id = s.attempt_id
WHERE s.attempt_id = $1 ORDER BY l.line;
