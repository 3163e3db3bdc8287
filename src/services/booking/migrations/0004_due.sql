-- What is due at the entrance is asked with every scan: it belongs to the hot and narrow half of an order.
ALTER TABLE order_state ADD COLUMN due_minor BIGINT NOT NULL DEFAULT 0;
UPDATE order_state SET due_minor = (SELECT d.due_minor FROM order_detail d WHERE d.order_id = order_state.id)
WHERE id IN (SELECT order_id FROM order_detail WHERE due_minor <> 0);
ALTER TABLE order_detail DROP COLUMN due_minor;
