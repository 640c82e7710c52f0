-- Files of messages and ratings of contacts: folds over the journal, emptied and filled again by a rebuild.

CREATE TABLE files (
    tenant      TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    seq         BIGINT  NOT NULL,               -- the message's place in the conversation
    id          TEXT COLLATE "C" NOT NULL,               -- the name of the content
    at          BIGINT  NOT NULL,               -- when it was sent
    PRIMARY KEY (tenant, interaction, seq)
);
CREATE INDEX files_by_id ON files (tenant, id);
CREATE INDEX files_by_age ON files (tenant, at);

CREATE TABLE ratings (
    tenant      TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    at          BIGINT  NOT NULL,               -- when it was given
    queue       TEXT COLLATE "C",                           -- the last it had waited in
    agent       TEXT COLLATE "C",                           -- the last it had been connected with
    score       BIGINT  NOT NULL,               -- from 1
    best        BIGINT  NOT NULL,               -- up to this
    comment     TEXT,
    PRIMARY KEY (tenant, interaction)
);
CREATE INDEX ratings_by_time ON ratings (tenant, at);
