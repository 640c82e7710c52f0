-- How long what is kept, what must not go, and whom to forget. Entered by people, so no projections: a rebuild leaves them alone.

-- Legal holds: what they name is not deleted by age, and nobody it concerns is erased.
CREATE TABLE holds (
    tenant      TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,               -- customer, interaction, ticket
    id          TEXT COLLATE "C" NOT NULL,
    who         TEXT COLLATE "C" NOT NULL,               -- login or key
    at          BIGINT  NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, kind, id)
);

-- Customers to be erased, and those who were: the work goes on here after a restart.
CREATE TABLE erasures (
    tenant      TEXT COLLATE "C" NOT NULL,
    customer    TEXT COLLATE "C" NOT NULL,
    who         TEXT COLLATE "C" NOT NULL,               -- login or key
    asked_at    BIGINT  NOT NULL,
    done_at     BIGINT ,
    PRIMARY KEY (tenant, customer)
);

-- How far something old has been looked through: what is before this place has gone, or stays for another reason.
CREATE TABLE keeping (
    tenant      TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    n           BIGINT  NOT NULL,
    PRIMARY KEY (tenant, kind)
);

CREATE INDEX journal_forgotten ON journal (seq) WHERE kind = 'forgotten';
CREATE INDEX recordings_by_age ON recordings (tenant, began_at);
CREATE INDEX audit_by_age ON audit (tenant, at);
