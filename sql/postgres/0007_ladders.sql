-- The SIP messages of contacts that are over, without secrets. Not a projection: the journal does not hold them, and a rebuild
-- leaves them alone. Usually one row for a contact; a restart in the middle of one makes a second.

CREATE TABLE ladders (
    tenant      TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    at          BIGINT  NOT NULL,                           -- when it was put away
    messages    BIGINT  NOT NULL,
    body        TEXT    NOT NULL,                           -- JSON: every line once, and which message has which
    PRIMARY KEY (tenant, interaction, at)
);
CREATE INDEX ladders_by_age ON ladders (tenant, at);
