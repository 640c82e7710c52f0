-- Ways to what is asked for often, where the only other way leads along everything a tenant has.

-- As before, and in the order lists are read in: else the list of one queue or agent is read along the time of all.
DROP INDEX interactions_by_queue;
DROP INDEX interactions_by_agent;
CREATE INDEX interactions_by_queue ON interactions (tenant, queue, opened_at, id) WHERE queue IS NOT NULL;
CREATE INDEX interactions_by_agent ON interactions (tenant, agent, opened_at, id) WHERE agent IS NOT NULL;

CREATE INDEX interactions_open ON interactions (tenant, opened_at, id) WHERE closed_at IS NULL;
CREATE INDEX tickets_by_change ON tickets (tenant, changed_at, id);
CREATE INDEX voicemails ON recordings (tenant, began_at, id) WHERE voicemail = 1;
CREATE INDEX journal_flow_steps ON journal (tenant, at, seq) WHERE kind = 'flow_entered';
