-- Reports people keep, and what was made of those that come by themselves. Not projections: a rebuild leaves them alone.

CREATE TABLE reports (
    tenant      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    owner       TEXT    NOT NULL,                           -- login or key
    made_at     BIGINT  NOT NULL,
    made_for    BIGINT,                                     -- the last time it was due that has been dealt with
    body        TEXT    NOT NULL,                           -- JSON: which report, and when
    PRIMARY KEY (tenant, name)
);

CREATE TABLE report_files (
    tenant      TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    due_at      BIGINT  NOT NULL,
    from_at     BIGINT  NOT NULL,
    to_at       BIGINT  NOT NULL,
    body        TEXT    NOT NULL,                           -- CSV
    PRIMARY KEY (tenant, name, due_at)
);

-- Of whom it is asked in which state they were when a report begins.
CREATE INDEX agent_states_by_time ON agent_states (tenant, since);
