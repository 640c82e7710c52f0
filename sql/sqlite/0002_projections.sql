-- Folds over the journal, written in the transaction of the facts they come from. Emptied and filled again by a rebuild.

CREATE TABLE interactions (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    way         TEXT    NOT NULL,
    called      TEXT    NOT NULL,               -- the number dialled or the chat entry
    caller      TEXT    NOT NULL,               -- who it is from
    customer    TEXT    NOT NULL,
    ticket      TEXT,
    visitor     TEXT,
    queue       TEXT,                           -- the last it waited in
    agent       TEXT,                           -- the last it was connected with
    opened_at   INTEGER NOT NULL,
    answered_at INTEGER,                         -- first connected with an agent
    closed_at   INTEGER,
    cause       TEXT,                           -- JSON: why it ended
    ended_by    TEXT,
    unqueued    TEXT,                           -- why it left the last queue
    waited_ms   INTEGER NOT NULL DEFAULT 0,
    talk_ms     INTEGER NOT NULL DEFAULT 0,
    hold_ms     INTEGER NOT NULL DEFAULT 0,
    wrap_ms     INTEGER NOT NULL DEFAULT 0,
    disposition TEXT,
    note        TEXT,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX interactions_by_time ON interactions (tenant, opened_at, id);
CREATE INDEX interactions_by_customer ON interactions (tenant, customer, opened_at);
CREATE INDEX interactions_by_ticket ON interactions (tenant, ticket) WHERE ticket IS NOT NULL;
CREATE INDEX interactions_by_queue ON interactions (tenant, queue, opened_at) WHERE queue IS NOT NULL;
CREATE INDEX interactions_by_agent ON interactions (tenant, agent, opened_at) WHERE agent IS NOT NULL;

-- One stay of an interaction in a queue.
CREATE TABLE waits (
    seq         INTEGER NOT NULL PRIMARY KEY,   -- the fact that began it
    tenant      TEXT    NOT NULL,
    interaction TEXT    NOT NULL,
    queue       TEXT    NOT NULL,
    entered_at  INTEGER NOT NULL,
    left_at     INTEGER,
    why         TEXT,
    waited_ms   INTEGER
) STRICT;
CREATE INDEX waits_by_interaction ON waits (tenant, interaction, seq);
CREATE INDEX waits_by_time ON waits (tenant, entered_at);

-- One stretch of an agent handling an interaction: a transfer begins a new one.
CREATE TABLE segments (
    seq         INTEGER NOT NULL PRIMARY KEY,   -- the fact that began it
    tenant      TEXT    NOT NULL,
    interaction TEXT    NOT NULL,
    agent       TEXT    NOT NULL,
    queue       TEXT,
    began_at    INTEGER NOT NULL,
    ended_at    INTEGER,
    talk_ms     INTEGER NOT NULL DEFAULT 0,
    hold_ms     INTEGER NOT NULL DEFAULT 0,
    wrap_ms     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX segments_by_interaction ON segments (tenant, interaction, seq);
CREATE INDEX segments_by_time ON segments (tenant, began_at);

CREATE TABLE decisions (
    tenant      TEXT    NOT NULL,
    offer       TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    interaction TEXT    NOT NULL,
    agent       TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    until_at    INTEGER NOT NULL,
    ended_at    INTEGER,
    outcome     TEXT,                           -- JSON: how the offer ended
    body        TEXT    NOT NULL,               -- JSON: why this agent
    PRIMARY KEY (tenant, offer)
) STRICT;
CREATE INDEX decisions_by_interaction ON decisions (tenant, interaction, seq);

CREATE TABLE messages (
    tenant      TEXT    NOT NULL,
    interaction TEXT    NOT NULL,
    seq         INTEGER NOT NULL,               -- its place in the conversation
    id          TEXT    NOT NULL,
    body        TEXT    NOT NULL,               -- JSON
    PRIMARY KEY (tenant, interaction, seq)
) STRICT;

CREATE TABLE recordings (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    interaction TEXT    NOT NULL,
    file        TEXT    NOT NULL,               -- below the recordings folder
    voicemail   INTEGER NOT NULL DEFAULT 0,
    began_at    INTEGER NOT NULL,
    ended_at    INTEGER,
    ms          INTEGER,
    bytes       INTEGER,
    trouble     TEXT,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX recordings_by_interaction ON recordings (tenant, interaction, seq);

CREATE TABLE agent_states (
    seq         INTEGER NOT NULL PRIMARY KEY,
    tenant      TEXT    NOT NULL,
    agent       TEXT    NOT NULL,
    since       INTEGER NOT NULL,
    body        TEXT    NOT NULL                -- JSON
) STRICT;
CREATE INDEX agent_states_by_agent ON agent_states (tenant, agent, seq);

CREATE TABLE tickets (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    number      INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    priority    TEXT    NOT NULL,
    urgency     INTEGER NOT NULL,               -- the priority as a number that sorts
    title       TEXT    NOT NULL,
    owner       TEXT,
    queue       TEXT,
    customer    TEXT,
    disposition TEXT,
    wakes_at    INTEGER,                    -- when its state ends by itself
    unanswered  INTEGER,                    -- since when a customer's word lies there without an answer
    opened_at   INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    search      TEXT    NOT NULL,               -- number and title, lower case
    body        TEXT    NOT NULL,               -- JSON: all of its head
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX tickets_by_number ON tickets (tenant, number);
CREATE INDEX tickets_by_status ON tickets (tenant, status, changed_at);
CREATE INDEX tickets_by_owner ON tickets (tenant, owner, changed_at) WHERE owner IS NOT NULL;
CREATE INDEX tickets_by_customer ON tickets (tenant, customer, changed_at) WHERE customer IS NOT NULL;

CREATE TABLE ticket_log (
    tenant      TEXT    NOT NULL,
    ticket      TEXT    NOT NULL,
    seq         INTEGER NOT NULL,               -- its place in the journal
    body        TEXT    NOT NULL,               -- JSON
    PRIMARY KEY (tenant, ticket, seq)
) STRICT;

CREATE TABLE customers (
    tenant      TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    merged_into TEXT,
    tier        TEXT    NOT NULL,
    made_at     INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    body        TEXT    NOT NULL,               -- JSON: the profile
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE INDEX customers_by_merge ON customers (tenant, merged_into) WHERE merged_into IS NOT NULL;

-- Every word of every name, lower case, to find people by its beginning.
CREATE TABLE customer_words (
    tenant      TEXT    NOT NULL,
    word        TEXT    NOT NULL,
    customer    TEXT    NOT NULL,
    PRIMARY KEY (tenant, word, customer)
) STRICT;
CREATE INDEX customer_words_by_customer ON customer_words (tenant, customer);

CREATE TABLE customer_log (
    tenant      TEXT    NOT NULL,
    customer    TEXT    NOT NULL,
    seq         INTEGER NOT NULL,               -- its place in the journal
    body        TEXT    NOT NULL,               -- JSON: what changed
    PRIMARY KEY (tenant, customer, seq)
) STRICT;

CREATE TABLE identities (
    tenant      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,               -- number, mail, ..
    value       TEXT    NOT NULL,
    customer    TEXT    NOT NULL,
    PRIMARY KEY (tenant, kind, value)
) STRICT;
CREATE INDEX identities_by_value ON identities (tenant, value, customer);
CREATE INDEX identities_by_customer ON identities (tenant, customer);
