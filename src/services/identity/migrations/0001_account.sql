-- Who somebody is. Hot and narrow apart from cold and wide: user_credential | user_profile.

CREATE TABLE vendor (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    created_at_ms BIGINT NOT NULL
);

CREATE TABLE user_credential (
    id UUID PRIMARY KEY,
    email_index BYTEA NOT NULL UNIQUE, -- HMAC of the folded address: found without being readable
    password TEXT NOT NULL,            -- PHC string, argon2id
    role INTEGER NOT NULL,             -- enum role of platform/node/call.h
    vendor_id UUID
);
CREATE INDEX user_credential_vendor ON user_credential (vendor_id, id);

CREATE TABLE user_profile (
    user_id UUID PRIMARY KEY,
    email BYTEA NOT NULL,              -- sealed
    name BYTEA NOT NULL,               -- sealed
    city TEXT,
    locale TEXT NOT NULL,
    interests TEXT NOT NULL,           -- JSON: ["jazz"]
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);

CREATE TABLE user_session (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    access_hash BYTEA NOT NULL UNIQUE, -- SHA-256 of a 256-bit random token
    refresh_hash BYTEA NOT NULL UNIQUE,
    access_expires_ms BIGINT NOT NULL,
    refresh_expires_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT
);
CREATE INDEX user_session_user ON user_session (user_id);

CREATE TABLE sign_in_failure (         -- also of addresses that nobody has: the same answer for both
    email_index BYTEA PRIMARY KEY,
    failures BIGINT NOT NULL,
    blocked_until_ms BIGINT NOT NULL,
    last_ms BIGINT NOT NULL
);
CREATE INDEX sign_in_failure_last ON sign_in_failure (last_ms);
