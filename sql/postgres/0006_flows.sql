-- Flows a tenant has published, every version of each. Which one is in force is in the configuration; here is what they were.

CREATE TABLE flow_versions (
    tenant      TEXT COLLATE "C" NOT NULL,
    flow        TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,                   -- from 1; rows are only added
    at          BIGINT NOT NULL,
    author      TEXT    NOT NULL,
    hash        TEXT    NOT NULL,                   -- SHA-256 of the text, lower-case hex
    restored    BIGINT,                            -- published again from this version
    body        TEXT    NOT NULL,
    PRIMARY KEY (tenant, flow, version)
);
