-- Requests that name themselves (Idempotency-Key), so that one sent again is not carried out again. Kept for a day.

CREATE TABLE requests (
    tenant      TEXT COLLATE "C" NOT NULL,
    caller      TEXT COLLATE "C" NOT NULL,                  -- login or key
    name        TEXT COLLATE "C" NOT NULL,                  -- as the caller gave it
    print       TEXT COLLATE "C" NOT NULL,                  -- SHA-256 of method, path and body, lower-case hex
    began_at    BIGINT  NOT NULL,
    status      BIGINT,                                     -- none while it is being carried out
    body        TEXT,
    PRIMARY KEY (tenant, caller, name)
);
CREATE INDEX requests_by_age ON requests (began_at);
