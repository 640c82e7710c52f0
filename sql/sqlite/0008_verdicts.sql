-- Who vouches for a caller (STIR/SHAKEN), as JSON; NULL where nobody has looked.

ALTER TABLE interactions ADD COLUMN verdict TEXT;
