-- Requests that name themselves (Idempotency-Key), so that one sent again is not carried out again. Kept for a day.

CREATE TABLE requests (
    tenant      TEXT    NOT NULL,
    caller      TEXT    NOT NULL,               -- login or key
    name        TEXT    NOT NULL,               -- as the caller gave it
    print       TEXT    NOT NULL,               -- SHA-256 of method, path and body, lower-case hex
    began_at    INTEGER NOT NULL,
    status      INTEGER,                        -- none while it is being carried out
    body        TEXT,
    PRIMARY KEY (tenant, caller, name)
) STRICT;
CREATE INDEX requests_by_age ON requests (began_at);
