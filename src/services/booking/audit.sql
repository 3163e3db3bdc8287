-- name: audit_ledger
SELECT seq, ticket_type_id, order_id, kind, quantity FROM stock_ledger ORDER BY seq;

-- name: audit_stock
SELECT id, total, remaining FROM ticket_type_stock ORDER BY id;

-- Every item of every order with what the ledger and the tickets say about it. $1 and $2 are the states of a ticket that admits.
-- name: audit_items
SELECT i.order_id, i.ticket_type_id, i.quantity, s.status,
       coalesce(l.taken, 0), coalesce(l.sales, 0), coalesce(t.made, 0), coalesce(t.good, 0)
FROM order_item i
JOIN order_state s ON s.id = i.order_id
LEFT JOIN (
    SELECT order_id, ticket_type_id, CAST(-sum(quantity) AS BIGINT) AS taken,
           sum(CASE WHEN kind = 3 THEN 1 ELSE 0 END) AS sales -- sale
    FROM stock_ledger
    WHERE order_id IS NOT NULL
    GROUP BY order_id, ticket_type_id
) l ON l.order_id = i.order_id AND l.ticket_type_id = i.ticket_type_id
LEFT JOIN (
    SELECT order_id, ticket_type_id, count(*) AS made,
           sum(CASE WHEN status IN ($1, $2) THEN 1 ELSE 0 END) AS good
    FROM ticket
    GROUP BY order_id, ticket_type_id
) t ON t.order_id = i.order_id AND t.ticket_type_id = i.ticket_type_id
ORDER BY i.order_id, i.ticket_type_id;

-- name: audit_totals
SELECT s.id, s.total_minor,
       CAST(coalesce(sum(i.quantity * i.unit_price_minor + coalesce(m.buyer_fee_minor + m.tax_minor - m.discount_minor, 0)), 0) AS BIGINT),
       count(i.quantity), coalesce(max(d.refunded_minor), 0)
FROM order_state s
LEFT JOIN order_item i ON i.order_id = s.id
LEFT JOIN order_item_money m ON m.order_id = i.order_id AND m.ticket_type_id = i.ticket_type_id
LEFT JOIN order_detail d ON d.order_id = s.id
GROUP BY s.id, s.total_minor
ORDER BY s.id;

-- name: audit_stray_item
SELECT i.order_id, i.ticket_type_id FROM order_item i
WHERE NOT EXISTS (SELECT 1 FROM order_state s WHERE s.id = i.order_id)
ORDER BY i.order_id LIMIT 1;

-- name: audit_stray_ledger
SELECT l.order_id, l.ticket_type_id, l.seq FROM stock_ledger l
WHERE l.order_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM order_item i WHERE i.order_id = l.order_id AND i.ticket_type_id = l.ticket_type_id)
ORDER BY l.seq LIMIT 1;

-- name: audit_stray_ticket
SELECT t.order_id, t.ticket_type_id, t.id FROM ticket t
WHERE NOT EXISTS (SELECT 1 FROM order_item i WHERE i.order_id = t.order_id AND i.ticket_type_id = t.ticket_type_id)
ORDER BY t.id LIMIT 1;
