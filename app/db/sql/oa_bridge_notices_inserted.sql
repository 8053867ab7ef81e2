-- Calls oa_bridge_notices_counted once for each statement by which notices are inserted.
CREATE OR REPLACE TRIGGER oa_bridge_notices_inserted AFTER INSERT ON notices
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION oa_bridge_notices_counted();
