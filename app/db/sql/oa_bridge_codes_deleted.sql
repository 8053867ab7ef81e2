-- Calls oa_bridge_codes_counted once for each statement by which codes are deleted.
CREATE OR REPLACE TRIGGER oa_bridge_codes_deleted AFTER DELETE ON campaign_codes
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_codes_counted();
