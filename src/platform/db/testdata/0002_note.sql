CREATE TABLE note (
    number BIGINT NOT NULL PRIMARY KEY,
    amount DOUBLE PRECISION,
    body TEXT
);
