-- Calls oa_bridge_how_changed for a new follower of whom is known how they came.
CREATE OR REPLACE TRIGGER oa_bridge_how_inserted AFTER INSERT ON followers
FOR EACH ROW WHEN (new.how IS NOT NULL) EXECUTE FUNCTION oa_bridge_how_changed();
