-- Programs outside that are told what happens. The journal is the outbox: an endpoint remembers how far in it it has got, and
-- rows of deliveries say what before that place waits to be tried again, and what became of the others.

CREATE TABLE webhooks (
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    uid         TEXT    NOT NULL UNIQUE,        -- in the ids of its events; another one when it is made again
    url         TEXT    NOT NULL,
    events      TEXT    NOT NULL,               -- JSON: groups and facts
    at_once     INTEGER NOT NULL,
    secret      TEXT    NOT NULL,               -- what its events are signed with
    old_secret  TEXT,                           -- signs as well until then
    old_until   INTEGER,
    active      INTEGER NOT NULL DEFAULT 1,
    closed_why  TEXT,                           -- why it was closed, if nobody did it
    failing_since INTEGER,
    cursor      INTEGER NOT NULL,               -- in the journal
    made_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT;

CREATE TABLE webhook_deliveries (
    uid         TEXT    NOT NULL REFERENCES webhooks (uid) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,               -- place of the fact in the journal; 0: a trial
    kind        TEXT    NOT NULL,
    state       TEXT    NOT NULL,               -- waiting, delivered, failed
    tries       INTEGER NOT NULL,
    first_at    INTEGER,
    last_at     INTEGER,
    due_at      INTEGER NOT NULL,
    status      INTEGER,                        -- of the last answer
    answer      TEXT,                           -- its beginning, or why there was none
    took_ms     INTEGER,
    PRIMARY KEY (uid, seq)
) STRICT;
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (uid, state, seq);
