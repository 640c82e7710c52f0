-- Folds over the journal, written in the transaction of the facts they come from. Emptied and filled again by a rebuild.

CREATE TABLE interactions (
    tenant      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    channel     TEXT COLLATE "C" NOT NULL,
    way         TEXT COLLATE "C" NOT NULL,
    called      TEXT COLLATE "C" NOT NULL,               -- the number dialled or the chat entry
    caller      TEXT COLLATE "C" NOT NULL,               -- who it is from
    customer    TEXT COLLATE "C" NOT NULL,
    ticket      TEXT COLLATE "C",
    visitor     TEXT COLLATE "C",
    queue       TEXT COLLATE "C",                           -- the last it waited in
    agent       TEXT COLLATE "C",                           -- the last it was connected with
    opened_at   BIGINT  NOT NULL,
    answered_at BIGINT,                         -- first connected with an agent
    closed_at   BIGINT,
    cause       TEXT COLLATE "C",                           -- JSON: why it ended
    ended_by    TEXT COLLATE "C",
    unqueued    TEXT COLLATE "C",                           -- why it left the last queue
    waited_ms   BIGINT  NOT NULL DEFAULT 0,
    talk_ms     BIGINT  NOT NULL DEFAULT 0,
    hold_ms     BIGINT  NOT NULL DEFAULT 0,
    wrap_ms     BIGINT  NOT NULL DEFAULT 0,
    disposition TEXT COLLATE "C",
    note        TEXT COLLATE "C",
    PRIMARY KEY (tenant, id)
);
CREATE INDEX interactions_by_time ON interactions (tenant, opened_at, id);
CREATE INDEX interactions_by_customer ON interactions (tenant, customer, opened_at);
CREATE INDEX interactions_by_ticket ON interactions (tenant, ticket) WHERE ticket IS NOT NULL;
CREATE INDEX interactions_by_queue ON interactions (tenant, queue, opened_at) WHERE queue IS NOT NULL;
CREATE INDEX interactions_by_agent ON interactions (tenant, agent, opened_at) WHERE agent IS NOT NULL;

-- One stay of an interaction in a queue.
CREATE TABLE waits (
    seq         BIGINT  NOT NULL PRIMARY KEY,   -- the fact that began it
    tenant      TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    queue       TEXT COLLATE "C" NOT NULL,
    entered_at  BIGINT  NOT NULL,
    left_at     BIGINT,
    why         TEXT COLLATE "C",
    waited_ms   BIGINT
);
CREATE INDEX waits_by_interaction ON waits (tenant, interaction, seq);
CREATE INDEX waits_by_time ON waits (tenant, entered_at);

-- One stretch of an agent handling an interaction: a transfer begins a new one.
CREATE TABLE segments (
    seq         BIGINT  NOT NULL PRIMARY KEY,   -- the fact that began it
    tenant      TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    agent       TEXT COLLATE "C" NOT NULL,
    queue       TEXT COLLATE "C",
    began_at    BIGINT  NOT NULL,
    ended_at    BIGINT,
    talk_ms     BIGINT  NOT NULL DEFAULT 0,
    hold_ms     BIGINT  NOT NULL DEFAULT 0,
    wrap_ms     BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX segments_by_interaction ON segments (tenant, interaction, seq);
CREATE INDEX segments_by_time ON segments (tenant, began_at);

CREATE TABLE decisions (
    tenant      TEXT COLLATE "C" NOT NULL,
    offer       TEXT COLLATE "C" NOT NULL,
    seq         BIGINT  NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    agent       TEXT COLLATE "C" NOT NULL,
    at          BIGINT  NOT NULL,
    until_at    BIGINT  NOT NULL,
    ended_at    BIGINT,
    outcome     TEXT COLLATE "C",                           -- JSON: how the offer ended
    body        TEXT COLLATE "C" NOT NULL,               -- JSON: why this agent
    PRIMARY KEY (tenant, offer)
);
CREATE INDEX decisions_by_interaction ON decisions (tenant, interaction, seq);

CREATE TABLE messages (
    tenant      TEXT COLLATE "C" NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    seq         BIGINT  NOT NULL,               -- its place in the conversation
    id          TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C" NOT NULL,               -- JSON
    PRIMARY KEY (tenant, interaction, seq)
);

CREATE TABLE recordings (
    tenant      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    seq         BIGINT  NOT NULL,
    interaction TEXT COLLATE "C" NOT NULL,
    file        TEXT COLLATE "C" NOT NULL,               -- below the recordings folder
    voicemail   BIGINT  NOT NULL DEFAULT 0,
    began_at    BIGINT  NOT NULL,
    ended_at    BIGINT,
    ms          BIGINT,
    bytes       BIGINT,
    trouble     TEXT COLLATE "C",
    PRIMARY KEY (tenant, id)
);
CREATE INDEX recordings_by_interaction ON recordings (tenant, interaction, seq);

CREATE TABLE agent_states (
    seq         BIGINT  NOT NULL PRIMARY KEY,
    tenant      TEXT COLLATE "C" NOT NULL,
    agent       TEXT COLLATE "C" NOT NULL,
    since       BIGINT  NOT NULL,
    body        TEXT COLLATE "C" NOT NULL                -- JSON
);
CREATE INDEX agent_states_by_agent ON agent_states (tenant, agent, seq);

CREATE TABLE tickets (
    tenant      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    number      BIGINT  NOT NULL,
    status      TEXT COLLATE "C" NOT NULL,
    priority    TEXT COLLATE "C" NOT NULL,
    urgency     BIGINT  NOT NULL,               -- the priority as a number that sorts
    title       TEXT COLLATE "C" NOT NULL,
    owner       TEXT COLLATE "C",
    queue       TEXT COLLATE "C",
    customer    TEXT COLLATE "C",
    disposition TEXT COLLATE "C",
    wakes_at    BIGINT,                     -- when its state ends by itself
    unanswered  BIGINT,                     -- since when a customer's word lies there without an answer
    opened_at   BIGINT  NOT NULL,
    changed_at  BIGINT  NOT NULL,
    search      TEXT COLLATE "C" NOT NULL,               -- number and title, lower case
    body        TEXT COLLATE "C" NOT NULL,               -- JSON: all of its head
    PRIMARY KEY (tenant, id)
);
CREATE INDEX tickets_by_number ON tickets (tenant, number);
CREATE INDEX tickets_by_status ON tickets (tenant, status, changed_at);
CREATE INDEX tickets_by_owner ON tickets (tenant, owner, changed_at) WHERE owner IS NOT NULL;
CREATE INDEX tickets_by_customer ON tickets (tenant, customer, changed_at) WHERE customer IS NOT NULL;

CREATE TABLE ticket_log (
    tenant      TEXT COLLATE "C" NOT NULL,
    ticket      TEXT COLLATE "C" NOT NULL,
    seq         BIGINT  NOT NULL,               -- its place in the journal
    body        TEXT COLLATE "C" NOT NULL,               -- JSON
    PRIMARY KEY (tenant, ticket, seq)
);

CREATE TABLE customers (
    tenant      TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    merged_into TEXT COLLATE "C",
    tier        TEXT COLLATE "C" NOT NULL,
    made_at     BIGINT  NOT NULL,
    changed_at  BIGINT  NOT NULL,
    body        TEXT COLLATE "C" NOT NULL,               -- JSON: the profile
    PRIMARY KEY (tenant, id)
);
CREATE INDEX customers_by_merge ON customers (tenant, merged_into) WHERE merged_into IS NOT NULL;

-- Every word of every name, lower case, to find people by its beginning.
CREATE TABLE customer_words (
    tenant      TEXT COLLATE "C" NOT NULL,
    word        TEXT COLLATE "C" NOT NULL,
    customer    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, word, customer)
);
CREATE INDEX customer_words_by_customer ON customer_words (tenant, customer);

CREATE TABLE customer_log (
    tenant      TEXT COLLATE "C" NOT NULL,
    customer    TEXT COLLATE "C" NOT NULL,
    seq         BIGINT  NOT NULL,               -- its place in the journal
    body        TEXT COLLATE "C" NOT NULL,               -- JSON: what changed
    PRIMARY KEY (tenant, customer, seq)
);

CREATE TABLE identities (
    tenant      TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,               -- number, mail, ..
    value       TEXT COLLATE "C" NOT NULL,
    customer    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, kind, value)
);
CREATE INDEX identities_by_value ON identities (tenant, value, customer);
CREATE INDEX identities_by_customer ON identities (tenant, customer);
