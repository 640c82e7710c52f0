-- The journal: what happened, in order, never changed. Everything in 0002 can be made again from it.
-- Instants are microseconds since 1970 UTC, flags 0 or 1, ids and JSON text. The SQLite file of the same number means the same.

CREATE TABLE journal (
    seq         BIGINT  NOT NULL PRIMARY KEY,   -- from 1, without gaps
    at          BIGINT  NOT NULL,
    tenant      TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C",
    ticket      TEXT COLLATE "C",
    customer    TEXT COLLATE "C",
    body        TEXT COLLATE "C" NOT NULL                -- the record as JSON
);
CREATE INDEX journal_by_tenant ON journal (tenant, seq);
CREATE INDEX journal_by_interaction ON journal (tenant, interaction, seq) WHERE interaction IS NOT NULL;
