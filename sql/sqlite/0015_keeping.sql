-- How long what is kept, what must not go, and whom to forget. Entered by people, so no projections: a rebuild leaves them alone.

-- Legal holds: what they name is not deleted by age, and nobody it concerns is erased.
CREATE TABLE holds (
    tenant      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,               -- customer, interaction, ticket
    id          TEXT    NOT NULL,
    who         TEXT    NOT NULL,               -- login or key
    at          INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    PRIMARY KEY (tenant, kind, id)
) STRICT;

-- Customers to be erased, and those who were: the work goes on here after a restart.
CREATE TABLE erasures (
    tenant      TEXT    NOT NULL,
    customer    TEXT    NOT NULL,
    who         TEXT    NOT NULL,               -- login or key
    asked_at    INTEGER NOT NULL,
    done_at     INTEGER,
    PRIMARY KEY (tenant, customer)
) STRICT;

-- How far something old has been looked through: what is before this place has gone, or stays for another reason.
CREATE TABLE keeping (
    tenant      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    n           INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind)
) STRICT;

CREATE INDEX journal_forgotten ON journal (seq) WHERE kind = 'forgotten';
CREATE INDEX recordings_by_age ON recordings (tenant, began_at);
CREATE INDEX audit_by_age ON audit (tenant, at);
