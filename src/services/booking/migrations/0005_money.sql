-- What there is in the money of an order and a ticket beside the list price: rows only where there is any.
CREATE TABLE order_item_money (
    order_id UUID NOT NULL,
    ticket_type_id UUID NOT NULL,
    discount_minor BIGINT NOT NULL,
    buyer_fee_minor BIGINT NOT NULL,  -- of the platform, on top of the price
    vendor_fee_minor BIGINT NOT NULL, -- of the platform, taken from what the vendor gets
    tax_minor BIGINT NOT NULL,        -- on top of the price
    tax_included_minor BIGINT NOT NULL,
    PRIMARY KEY (order_id, ticket_type_id)
);
CREATE TABLE ticket_money (           -- its share of the item's
    ticket_id UUID PRIMARY KEY,
    discount_minor BIGINT NOT NULL,
    buyer_fee_minor BIGINT NOT NULL,
    vendor_fee_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    tax_included_minor BIGINT NOT NULL
);
-- JSON: what a refund is for, and what a promised order was settled for where some of it had been cancelled before.
ALTER TABLE order_refund ADD COLUMN lines TEXT;
ALTER TABLE order_detail ADD COLUMN paid_lines TEXT;
