-- Calls oa_bridge_rules_changed after each INSERT of rules. One trigger for each kind of change:
-- Postgres hands the rows of before and after to a trigger of a single kind only.
CREATE OR REPLACE TRIGGER oa_bridge_rules_changed_insert AFTER INSERT ON rules
REFERENCING NEW TABLE AS rows_after
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_rules_changed();
