-- Programs outside that are told what happens. The journal is the outbox: an endpoint remembers how far in it it has got, and
-- rows of deliveries say what before that place waits to be tried again, and what became of the others.

CREATE TABLE webhooks (
    tenant      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    uid         TEXT COLLATE "C" NOT NULL UNIQUE,        -- in the ids of its events; another one when it is made again
    url         TEXT COLLATE "C" NOT NULL,
    events      TEXT COLLATE "C" NOT NULL,               -- JSON: groups and facts
    at_once     BIGINT  NOT NULL,
    secret      TEXT COLLATE "C" NOT NULL,               -- what its events are signed with
    old_secret  TEXT COLLATE "C",                           -- signs as well until then
    old_until   BIGINT ,
    active      BIGINT  NOT NULL DEFAULT 1,
    closed_why  TEXT COLLATE "C",                           -- why it was closed, if nobody did it
    failing_since BIGINT ,
    cursor      BIGINT  NOT NULL,               -- in the journal
    made_at     BIGINT  NOT NULL,
    PRIMARY KEY (tenant, name)
);

CREATE TABLE webhook_deliveries (
    uid         TEXT COLLATE "C" NOT NULL REFERENCES webhooks (uid) ON DELETE CASCADE,
    seq         BIGINT  NOT NULL,               -- place of the fact in the journal; 0: a trial
    kind        TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,               -- waiting, delivered, failed
    tries       BIGINT  NOT NULL,
    first_at    BIGINT ,
    last_at     BIGINT ,
    due_at      BIGINT  NOT NULL,
    status      BIGINT ,                        -- of the last answer
    answer      TEXT COLLATE "C",                           -- its beginning, or why there was none
    took_ms     BIGINT ,
    PRIMARY KEY (uid, seq)
);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (uid, state, seq);
