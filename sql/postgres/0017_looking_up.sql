-- What people look up: contacts by the end of a number, the audit log by who, what and whom; and keys nobody uses.

-- The digits of the customer's number, the last first: what ends with some digits is one range of an index. Empty where there is none.
ALTER TABLE interactions ADD COLUMN turned TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE interactions SET turned = left(reverse(replace(CASE way WHEN 'outbound' THEN called ELSE caller END, '+', '')), 24)
    WHERE channel = 'voice' AND CASE way WHEN 'outbound' THEN called ELSE caller END !~ '[^0-9+]';
CREATE INDEX interactions_by_number ON interactions (tenant, turned, opened_at);

CREATE INDEX audit_by_who ON audit (tenant, who, n);
CREATE INDEX audit_by_what ON audit (tenant, what, n);
CREATE INDEX audit_by_subject ON audit (tenant, subject, n);

ALTER TABLE api_keys ADD COLUMN used_at BIGINT;                 -- the last use, to a minute; none before the first
