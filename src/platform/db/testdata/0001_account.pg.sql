CREATE TABLE account (
    id BYTEA NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT,
    balance BIGINT NOT NULL DEFAULT 0 CONSTRAINT account_balance_check CHECK (balance >= 0)
);
CREATE UNIQUE INDEX account_name_lower ON account (lower(name));

CREATE TABLE seat (
    event BIGINT NOT NULL,
    number BIGINT NOT NULL,
    account BYTEA REFERENCES account (id),
    PRIMARY KEY (event, number)
);
