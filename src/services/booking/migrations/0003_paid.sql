-- What an order was settled for: less than its total where tickets of a promised one had been cancelled before.
ALTER TABLE order_detail ADD COLUMN paid_minor BIGINT NOT NULL DEFAULT 0;
UPDATE order_detail SET paid_minor = (SELECT s.total_minor FROM order_state s WHERE s.id = order_detail.order_id) WHERE confirmed_at_ms IS NOT NULL;
