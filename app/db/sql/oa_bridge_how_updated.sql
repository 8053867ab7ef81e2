-- Calls oa_bridge_how_changed when something else becomes known about how a follower came.
CREATE OR REPLACE TRIGGER oa_bridge_how_updated AFTER UPDATE ON followers
FOR EACH ROW WHEN (old.how IS DISTINCT FROM new.how) EXECUTE FUNCTION oa_bridge_how_changed();
