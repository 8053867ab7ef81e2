-- Calls oa_bridge_how_changed when a follower is deleted of whom was known how they came.
CREATE OR REPLACE TRIGGER oa_bridge_how_deleted AFTER DELETE ON followers
FOR EACH ROW WHEN (old.how IS NOT NULL) EXECUTE FUNCTION oa_bridge_how_changed();
