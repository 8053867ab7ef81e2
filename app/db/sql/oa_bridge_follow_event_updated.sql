-- Calls oa_bridge_follow_event_changed when something changes that counts. A UnionID does not.
CREATE OR REPLACE TRIGGER oa_bridge_follow_event_updated AFTER UPDATE ON follow_events
FOR EACH ROW WHEN (old.action::text <> 'scan'::text AND
(old.openid <> new.openid OR old.scene IS DISTINCT FROM new.scene OR
old.occurred_at <> new.occurred_at)) EXECUTE FUNCTION oa_bridge_follow_event_changed();
