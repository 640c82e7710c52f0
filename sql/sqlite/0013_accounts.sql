-- Sessions people can recognise, second factors, and a count of changes to logins.

ALTER TABLE sessions ADD COLUMN device TEXT NOT NULL DEFAULT '';    -- what the browser said of itself
ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;

CREATE TABLE second_factors (
    tenant      TEXT    NOT NULL,
    login       TEXT    NOT NULL,
    secret      TEXT    NOT NULL,               -- of RFC 6238, lower-case hex
    confirmed   INTEGER NOT NULL DEFAULT 0,     -- a code was given once: it is asked for from then on
    last_step   INTEGER NOT NULL DEFAULT 0,     -- the last step a code was taken of; none is taken twice
    made_at     INTEGER NOT NULL,
    PRIMARY KEY (tenant, login),
    FOREIGN KEY (tenant, login) REFERENCES users (tenant, login) ON DELETE CASCADE
) STRICT;

CREATE TABLE recovery_codes (
    tenant      TEXT    NOT NULL,
    login       TEXT    NOT NULL,
    code_sha256 TEXT    NOT NULL,               -- lower-case hex; the code itself is nowhere
    PRIMARY KEY (tenant, login, code_sha256),
    FOREIGN KEY (tenant, login) REFERENCES second_factors (tenant, login) ON DELETE CASCADE
) STRICT;

CREATE TABLE directory_changes (
    one         INTEGER NOT NULL PRIMARY KEY,
    n           INTEGER NOT NULL                -- counts up with every change of a login
) STRICT;
INSERT INTO directory_changes (one, n) VALUES (1, 0);
