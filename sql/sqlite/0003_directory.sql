-- The directory: what people entered, not what happened. It is not made from the journal.

CREATE TABLE config_versions (
    version     INTEGER NOT NULL PRIMARY KEY,   -- from 1; rows are only added
    at          INTEGER NOT NULL,
    author      TEXT    NOT NULL,
    yaml        TEXT    NOT NULL
) STRICT;

CREATE TABLE users (
    tenant      TEXT    NOT NULL,
    login       TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    password    TEXT    NOT NULL,               -- argon2 PHC string
    sip_md5     TEXT,                           -- HA1 of RFC 7616, lower-case hex
    sip_sha256  TEXT,
    disabled    INTEGER NOT NULL DEFAULT 0,
    changed_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, login)
) STRICT;

CREATE TABLE api_keys (
    key_sha256  TEXT    NOT NULL PRIMARY KEY,   -- lower-case hex; the key itself is nowhere
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    made_at     INTEGER NOT NULL,
    UNIQUE (tenant, name)
) STRICT;

CREATE TABLE sessions (
    token_sha256 TEXT   NOT NULL PRIMARY KEY,   -- lower-case hex; the token itself is nowhere
    tenant      TEXT    NOT NULL,
    login       TEXT    NOT NULL,
    csrf        TEXT    NOT NULL,
    made_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    FOREIGN KEY (tenant, login) REFERENCES users (tenant, login) ON DELETE CASCADE
) STRICT;
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_by_login ON sessions (tenant, login);

CREATE TABLE visitors (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    token_sha256 TEXT   NOT NULL,
    interaction TEXT,                           -- the chat that is open
    made_at     INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE UNIQUE INDEX visitors_by_token ON visitors (token_sha256);
CREATE INDEX visitors_by_seen ON visitors (seen_at);

CREATE TABLE audit (
    n           INTEGER PRIMARY KEY AUTOINCREMENT, -- rows are only added
    tenant      TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    who         TEXT    NOT NULL,
    what        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    was         TEXT,
    became      TEXT
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant, n);
