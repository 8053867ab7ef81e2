-- Calls oa_bridge_codes_counted once for each statement by which codes are inserted.
CREATE OR REPLACE TRIGGER oa_bridge_codes_inserted AFTER INSERT ON campaign_codes
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_codes_counted();
