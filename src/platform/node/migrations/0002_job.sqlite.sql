-- Work for later. A job is alive until it is deleted (done) or buried (died_ms).
CREATE TABLE job (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    kind           TEXT    NOT NULL,
    unique_key     TEXT,
    payload        TEXT    NOT NULL,
    due_ms         INTEGER NOT NULL,
    added_ms       INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0, -- begun ones; the number of one fences its end
    lease_until_ms INTEGER NOT NULL DEFAULT 0, -- 0: nobody works on it
    died_ms        INTEGER,
    error          TEXT
) STRICT;

CREATE UNIQUE INDEX job_alive ON job (kind, unique_key)
    WHERE unique_key IS NOT NULL AND died_ms IS NULL;
CREATE INDEX job_due ON job (due_ms, id) WHERE died_ms IS NULL;
CREATE INDEX job_leased ON job (lease_until_ms) WHERE lease_until_ms > 0;
CREATE INDEX job_dead ON job (died_ms) WHERE died_ms IS NOT NULL;
