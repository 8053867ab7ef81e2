-- Calls oa_bridge_rules_changed after each TRUNCATE of rules.
CREATE OR REPLACE TRIGGER oa_bridge_rules_changed_truncate AFTER TRUNCATE ON rules
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_rules_changed();
