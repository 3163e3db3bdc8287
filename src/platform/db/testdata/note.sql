-- name: note_insert   conflict: note_pkey -> CONFLICT
INSERT INTO note (number, amount, body) VALUES ($1, $2, $3);

-- name: note_put
INSERT INTO note (number, body) VALUES ($1, $2) ON CONFLICT (number) DO UPDATE SET body = excluded.body;

-- name: note_find
SELECT number, amount, body FROM note WHERE number = $1;

-- name: note_list
SELECT number, body FROM note ORDER BY number;

-- name: note_count
SELECT count(*) FROM note;

-- name: note_delete_from
DELETE FROM note WHERE number >= $1;
