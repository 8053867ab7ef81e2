-- Calls oa_bridge_follow_event_changed when a follow or unfollow is deleted.
CREATE OR REPLACE TRIGGER oa_bridge_follow_event_deleted AFTER DELETE ON follow_events
FOR EACH ROW WHEN (old.action::text <> 'scan'::text) EXECUTE FUNCTION oa_bridge_follow_event_changed();
