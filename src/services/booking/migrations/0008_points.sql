-- Loyalty points that an order is paid with: rows only where there are any. What they pay is the items' discount.
CREATE TABLE order_points (
    order_id UUID PRIMARY KEY,
    points BIGINT NOT NULL CHECK (points > 0)
);
