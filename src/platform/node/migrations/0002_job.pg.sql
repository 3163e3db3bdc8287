-- Work for later. A job is alive until it is deleted (done) or buried (died_ms).
CREATE TABLE job (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind           text   NOT NULL,
    unique_key     text,
    payload        text   NOT NULL,
    due_ms         bigint NOT NULL,
    added_ms       bigint NOT NULL,
    attempts       bigint NOT NULL DEFAULT 0, -- begun ones; the number of one fences its end
    lease_until_ms bigint NOT NULL DEFAULT 0, -- 0: nobody works on it
    died_ms        bigint,
    error          text
);

CREATE UNIQUE INDEX job_alive ON job (kind, unique_key)
    WHERE unique_key IS NOT NULL AND died_ms IS NULL;
CREATE INDEX job_due ON job (due_ms, id) WHERE died_ms IS NULL;
CREATE INDEX job_leased ON job (lease_until_ms) WHERE lease_until_ms > 0;
CREATE INDEX job_dead ON job (died_ms) WHERE died_ms IS NOT NULL;
