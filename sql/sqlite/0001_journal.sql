-- The journal: what happened, in order, never changed. Everything in 0002 can be made again from it.
-- Instants are microseconds since 1970 UTC, flags 0 or 1, ids and JSON text. The PostgreSQL file of the same number means the same.

CREATE TABLE journal (
    seq         INTEGER NOT NULL PRIMARY KEY,   -- from 1, without gaps
    at          INTEGER NOT NULL,
    tenant      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    interaction TEXT,
    ticket      TEXT,
    customer    TEXT,
    body        TEXT    NOT NULL                -- the record as JSON
) STRICT;
CREATE INDEX journal_by_tenant ON journal (tenant, seq);
CREATE INDEX journal_by_interaction ON journal (tenant, interaction, seq) WHERE interaction IS NOT NULL;
