-- The same sums as in sales_day, over all days and over all events: what a vendor asks for most is a few hundred rows, however long he has sold.
CREATE TABLE sales_event (
    vendor_id UUID NOT NULL,
    currency TEXT NOT NULL,
    event_id UUID NOT NULL,
    ticket_type_id UUID NOT NULL,     -- zero: of none
    gross_minor BIGINT NOT NULL,
    refunds_minor BIGINT NOT NULL,
    fees_minor BIGINT NOT NULL,
    sold BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, currency, event_id, ticket_type_id)
);
CREATE TABLE sales_date (
    vendor_id UUID NOT NULL,
    currency TEXT NOT NULL,
    day INTEGER NOT NULL,
    gross_minor BIGINT NOT NULL,
    refunds_minor BIGINT NOT NULL,
    fees_minor BIGINT NOT NULL,
    sold BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, currency, day)
);
INSERT INTO sales_event (vendor_id, currency, event_id, ticket_type_id, gross_minor, refunds_minor, fees_minor, sold, refunded)
SELECT vendor_id, currency, event_id, ticket_type_id, sum(gross_minor), sum(refunds_minor), sum(fees_minor), sum(sold), sum(refunded)
FROM sales_day GROUP BY vendor_id, currency, event_id, ticket_type_id;
INSERT INTO sales_date (vendor_id, currency, day, gross_minor, refunds_minor, fees_minor, sold, refunded)
SELECT vendor_id, currency, day, sum(gross_minor), sum(refunds_minor), sum(fees_minor), sum(sold), sum(refunded)
FROM sales_day GROUP BY vendor_id, currency, day;
