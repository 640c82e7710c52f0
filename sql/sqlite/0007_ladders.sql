-- The SIP messages of contacts that are over, without secrets. Not a projection: the journal does not hold them, and a rebuild
-- leaves them alone. Usually one row for a contact; a restart in the middle of one makes a second.

CREATE TABLE ladders (
    tenant      TEXT    NOT NULL,
    interaction TEXT    NOT NULL,
    at          INTEGER NOT NULL,               -- when it was put away
    messages    INTEGER NOT NULL,
    body        TEXT    NOT NULL,               -- JSON: every line once, and which message has which
    PRIMARY KEY (tenant, interaction, at)
) STRICT;
CREATE INDEX ladders_by_age ON ladders (tenant, at);
