-- The directory: what people entered, not what happened. It is not made from the journal.

CREATE TABLE config_versions (
    version     BIGINT  NOT NULL PRIMARY KEY,   -- from 1; rows are only added
    at          BIGINT  NOT NULL,
    author      TEXT COLLATE "C" NOT NULL,
    yaml        TEXT COLLATE "C" NOT NULL
);

CREATE TABLE users (
    tenant      TEXT COLLATE "C" NOT NULL,
    login       TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    password    TEXT COLLATE "C" NOT NULL,               -- argon2 PHC string
    sip_md5     TEXT COLLATE "C",                           -- HA1 of RFC 7616, lower-case hex
    sip_sha256  TEXT COLLATE "C",
    disabled    BIGINT  NOT NULL DEFAULT 0,
    changed_at  BIGINT  NOT NULL,
    PRIMARY KEY (tenant, login)
);

CREATE TABLE api_keys (
    key_sha256  TEXT COLLATE "C" NOT NULL PRIMARY KEY,   -- lower-case hex; the key itself is nowhere
    tenant      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    role        TEXT COLLATE "C" NOT NULL,
    made_at     BIGINT  NOT NULL,
    UNIQUE (tenant, name)
);

CREATE TABLE sessions (
    token_sha256 TEXT COLLATE "C" NOT NULL PRIMARY KEY,   -- lower-case hex; the token itself is nowhere
    tenant      TEXT COLLATE "C" NOT NULL,
    login       TEXT COLLATE "C" NOT NULL,
    csrf        TEXT COLLATE "C" NOT NULL,
    made_at     BIGINT  NOT NULL,
    expires_at  BIGINT  NOT NULL,
    FOREIGN KEY (tenant, login) REFERENCES users (tenant, login) ON DELETE CASCADE
);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX sessions_by_login ON sessions (tenant, login);

CREATE TABLE visitors (
    tenant      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    token_sha256 TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C",                           -- the chat that is open
    made_at     BIGINT  NOT NULL,
    seen_at     BIGINT  NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX visitors_by_token ON visitors (token_sha256);
CREATE INDEX visitors_by_seen ON visitors (seen_at);

CREATE TABLE audit (
    n           BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- rows are only added
    tenant      TEXT COLLATE "C" NOT NULL,
    at          BIGINT  NOT NULL,
    who         TEXT COLLATE "C" NOT NULL,
    what        TEXT COLLATE "C" NOT NULL,
    subject     TEXT COLLATE "C" NOT NULL,
    was         TEXT COLLATE "C",
    became      TEXT
);
CREATE INDEX audit_by_tenant ON audit (tenant, n);
