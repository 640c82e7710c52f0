-- Sessions people can recognise, second factors, and a count of changes to logins.

ALTER TABLE sessions ADD COLUMN device TEXT COLLATE "C" NOT NULL DEFAULT '';    -- what the browser said of itself
ALTER TABLE sessions ADD COLUMN address TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;

CREATE TABLE second_factors (
    tenant      TEXT COLLATE "C" NOT NULL,
    login       TEXT COLLATE "C" NOT NULL,
    secret      TEXT COLLATE "C" NOT NULL,               -- of RFC 6238, lower-case hex
    confirmed   BIGINT NOT NULL DEFAULT 0,     -- a code was given once: it is asked for from then on
    last_step   BIGINT NOT NULL DEFAULT 0,     -- the last step a code was taken of; none is taken twice
    made_at     BIGINT NOT NULL,
    PRIMARY KEY (tenant, login),
    FOREIGN KEY (tenant, login) REFERENCES users (tenant, login) ON DELETE CASCADE
);

CREATE TABLE recovery_codes (
    tenant      TEXT COLLATE "C" NOT NULL,
    login       TEXT COLLATE "C" NOT NULL,
    code_sha256 TEXT COLLATE "C" NOT NULL,               -- lower-case hex; the code itself is nowhere
    PRIMARY KEY (tenant, login, code_sha256),
    FOREIGN KEY (tenant, login) REFERENCES second_factors (tenant, login) ON DELETE CASCADE
);

CREATE TABLE directory_changes (
    one         BIGINT NOT NULL PRIMARY KEY,
    n           BIGINT NOT NULL                -- counts up with every change of a login
);
INSERT INTO directory_changes (one, n) VALUES (1, 0);
