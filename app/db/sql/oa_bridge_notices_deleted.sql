-- Calls oa_bridge_notices_counted once for each statement by which notices are deleted.
CREATE OR REPLACE TRIGGER oa_bridge_notices_deleted AFTER DELETE ON notices
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_notices_counted();
