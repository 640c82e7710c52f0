-- Flows a tenant has published, every version of each. Which one is in force is in the configuration; here is what they were.

CREATE TABLE flow_versions (
    tenant      TEXT     NOT NULL,
    flow        TEXT     NOT NULL,
    version     INTEGER NOT NULL,                   -- from 1; rows are only added
    at          INTEGER NOT NULL,
    author      TEXT    NOT NULL,
    hash        TEXT    NOT NULL,                   -- SHA-256 of the text, lower-case hex
    restored    INTEGER,                            -- published again from this version
    body        TEXT    NOT NULL,
    PRIMARY KEY (tenant, flow, version)
) STRICT;
