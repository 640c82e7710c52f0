-- Reports people keep, and what was made of those that come by themselves. Not projections: a rebuild leaves them alone.

CREATE TABLE reports (
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    owner       TEXT    NOT NULL,               -- login or key
    made_at     INTEGER NOT NULL,
    made_for    INTEGER,                        -- the last time it was due that has been dealt with
    body        TEXT    NOT NULL,               -- JSON: which report, and when
    PRIMARY KEY (tenant, name)
) STRICT;

CREATE TABLE report_files (
    tenant      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    due_at      INTEGER NOT NULL,
    from_at     INTEGER NOT NULL,
    to_at       INTEGER NOT NULL,
    body        TEXT    NOT NULL,               -- CSV
    PRIMARY KEY (tenant, name, due_at)
) STRICT;

-- Of whom it is asked in which state they were when a report begins.
CREATE INDEX agent_states_by_time ON agent_states (tenant, since);
