-- Calls oa_bridge_notices_counted once for each statement by which notices are updated.
CREATE OR REPLACE TRIGGER oa_bridge_notices_updated AFTER UPDATE ON notices
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_notices_counted();
