-- Calls oa_bridge_rules_changed after each DELETE of rules. One trigger for each kind of change:
-- Postgres hands the rows of before and after to a trigger of a single kind only.
CREATE OR REPLACE TRIGGER oa_bridge_rules_changed_delete AFTER DELETE ON rules
REFERENCING OLD TABLE AS rows_before
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_rules_changed();
