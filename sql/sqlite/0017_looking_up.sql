-- What people look up: contacts by the end of a number, the audit log by who, what and whom; and keys nobody uses.

-- The digits of the customer's number, the last first: what ends with some digits is one range of an index. Empty where there is none.
ALTER TABLE interactions ADD COLUMN turned TEXT NOT NULL DEFAULT '';
UPDATE interactions SET turned = (SELECT
    substr(n, -1, 1) || substr(n, -2, 1) || substr(n, -3, 1) || substr(n, -4, 1) || substr(n, -5, 1) || substr(n, -6, 1) ||
    substr(n, -7, 1) || substr(n, -8, 1) || substr(n, -9, 1) || substr(n, -10, 1) || substr(n, -11, 1) || substr(n, -12, 1) ||
    substr(n, -13, 1) || substr(n, -14, 1) || substr(n, -15, 1) || substr(n, -16, 1) || substr(n, -17, 1) || substr(n, -18, 1) ||
    substr(n, -19, 1) || substr(n, -20, 1) || substr(n, -21, 1) || substr(n, -22, 1) || substr(n, -23, 1) || substr(n, -24, 1)
    FROM (SELECT replace(CASE way WHEN 'outbound' THEN called ELSE caller END, '+', '') AS n))
    WHERE channel = 'voice' AND CASE way WHEN 'outbound' THEN called ELSE caller END NOT GLOB '*[^0-9+]*';
CREATE INDEX interactions_by_number ON interactions (tenant, turned, opened_at);

CREATE INDEX audit_by_who ON audit (tenant, who, n);
CREATE INDEX audit_by_what ON audit (tenant, what, n);
CREATE INDEX audit_by_subject ON audit (tenant, subject, n);

ALTER TABLE api_keys ADD COLUMN used_at INTEGER;               -- the last use, to a minute; none before the first
