-- Which migrations a database has had. Owners count by themselves: the platform's tables and the service's.

-- name: migration_table
CREATE TABLE IF NOT EXISTS schema_migration (
    owner TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    applied_at_ms BIGINT NOT NULL,
    PRIMARY KEY (owner, number)
);

-- name: migration_list
SELECT number, name FROM schema_migration WHERE owner = $1 ORDER BY number;

-- name: migration_insert
INSERT INTO schema_migration (owner, number, name, applied_at_ms) VALUES ($1, $2, $3, $4);
