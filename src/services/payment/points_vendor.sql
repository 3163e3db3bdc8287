-- name: points_vendor_find
SELECT earn, redeem, boosts FROM points_vendor WHERE vendor_id = $1;

-- name: points_vendor_put
INSERT INTO points_vendor (vendor_id, earn, redeem, boosts) VALUES ($1, $2, $3, $4)
ON CONFLICT (vendor_id) DO UPDATE SET earn = $2, redeem = $3, boosts = $4;
