-- Lists of tickets people have named: what is asked for, whose it is, and whether the house shares it. Entered by people, so
-- no projection: a rebuild leaves it alone.

CREATE TABLE ticket_views (
    tenant  TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    owner   TEXT    NOT NULL,                   -- the login that made it
    shared  INTEGER NOT NULL,                   -- everybody of the tenant has it
    name    TEXT    NOT NULL,
    body    TEXT    NOT NULL,                   -- JSON: what is asked for
    made_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX ticket_views_by_owner ON ticket_views (tenant, owner);
