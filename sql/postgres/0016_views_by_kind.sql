-- Lists people have named are of tickets, customers and contacts alike.

ALTER TABLE ticket_views RENAME TO saved_views;
ALTER TABLE saved_views ADD COLUMN kind TEXT NOT NULL DEFAULT 'tickets';   -- tickets, customers, contacts
DROP INDEX ticket_views_by_owner;
CREATE INDEX saved_views_by_owner ON saved_views (tenant, owner);
