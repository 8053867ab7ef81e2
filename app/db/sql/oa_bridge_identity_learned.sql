-- Adds a row to identity_events when an OpenID gets its first UnionID (`resolved`) or another one
-- (`changed`). Webhooks send these rows as `identity.resolved` and `identity.changed`.
--
-- A trigger function, so that an event is added whichever way a UnionID is learned. The triggers
-- oa_bridge_identity_inserted and oa_bridge_identity_updated call it.
CREATE OR REPLACE FUNCTION oa_bridge_identity_learned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO identity_events (appid, openid, action) VALUES (
        NEW.appid, NEW.openid,
        CASE WHEN TG_OP = 'UPDATE' AND OLD.unionid IS NOT NULL THEN 'changed' ELSE 'resolved' END
    );
    RETURN NULL;
END
$$;
