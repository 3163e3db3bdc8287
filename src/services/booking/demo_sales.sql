-- name: demo_sales_any_event
SELECT EXISTS (SELECT 1 FROM event_key);
