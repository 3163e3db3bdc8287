-- name: demo_people_anybody
SELECT EXISTS (SELECT 1 FROM user_credential);
