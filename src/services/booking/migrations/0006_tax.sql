-- A ticket type that is taxed by another rate than its event, in millionths.
ALTER TABLE ticket_type ADD COLUMN tax_rate_ppm BIGINT;
