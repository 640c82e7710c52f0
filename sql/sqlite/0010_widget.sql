-- Files of messages and ratings of contacts: folds over the journal, emptied and filled again by a rebuild.

CREATE TABLE files (
    tenant      TEXT    NOT NULL,
    interaction TEXT    NOT NULL,
    seq         INTEGER NOT NULL,               -- the message's place in the conversation
    id          TEXT    NOT NULL,               -- the name of the content
    at          INTEGER NOT NULL,               -- when it was sent
    PRIMARY KEY (tenant, interaction, seq)
) STRICT;
CREATE INDEX files_by_id ON files (tenant, id);
CREATE INDEX files_by_age ON files (tenant, at);

CREATE TABLE ratings (
    tenant      TEXT    NOT NULL,
    interaction TEXT    NOT NULL,
    at          INTEGER NOT NULL,               -- when it was given
    queue       TEXT,                           -- the last it had waited in
    agent       TEXT,                           -- the last it had been connected with
    score       INTEGER NOT NULL,               -- from 1
    best        INTEGER NOT NULL,               -- up to this
    comment     TEXT,
    PRIMARY KEY (tenant, interaction)
) STRICT;
CREATE INDEX ratings_by_time ON ratings (tenant, at);
