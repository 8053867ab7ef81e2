-- Calls oa_bridge_rules_changed after each UPDATE of rules. One trigger for each kind of change:
-- Postgres hands the rows of before and after to a trigger of a single kind only.
CREATE OR REPLACE TRIGGER oa_bridge_rules_changed_update AFTER UPDATE ON rules
REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_rules_changed();
