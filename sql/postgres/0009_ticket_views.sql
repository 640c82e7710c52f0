-- Lists of tickets people have named: what is asked for, whose it is, and whether the house shares it. Entered by people, so
-- no projection: a rebuild leaves it alone.

CREATE TABLE ticket_views (
    tenant  TEXT COLLATE "C" NOT NULL,
    id      TEXT COLLATE "C" NOT NULL,
    owner   TEXT COLLATE "C" NOT NULL,                      -- the login that made it
    shared  BIGINT  NOT NULL,                               -- everybody of the tenant has it
    name    TEXT    NOT NULL,
    body    TEXT    NOT NULL,                               -- JSON: what is asked for
    made_at BIGINT  NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX ticket_views_by_owner ON ticket_views (tenant, owner);
