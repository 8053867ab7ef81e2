-- Calls oa_bridge_codes_counted once for each statement by which codes are updated.
CREATE OR REPLACE TRIGGER oa_bridge_codes_updated AFTER UPDATE ON campaign_codes
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_codes_counted();
