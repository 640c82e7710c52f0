-- The list of all customers, those something was learned of last first.

CREATE INDEX customers_by_change ON customers (tenant, changed_at, id);
