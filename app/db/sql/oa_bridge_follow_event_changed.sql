-- Notes a follow or unfollow as it was, when it is changed or deleted, so that the sums in which it
-- was counted can be corrected. Events are changed by erasures alone.
--
-- A trigger function, so that nothing that changes an event can forget it. The triggers
-- oa_bridge_follow_event_updated and oa_bridge_follow_event_deleted call it.
CREATE OR REPLACE FUNCTION oa_bridge_follow_event_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counted_follow_events (event_id, appid, openid, action, scene, occurred_at, position)
    VALUES (OLD.id, OLD.appid, OLD.openid, OLD.action, OLD.scene, OLD.occurred_at, OLD.position);
    RETURN NULL;
END
$$;
