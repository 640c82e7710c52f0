-- Why an agent was offered a contact stands in the journal, in the fact `seq` of the row: a second copy was nearly half of what a
-- call wrote.

ALTER TABLE decisions DROP COLUMN body;
