-- Calls oa_bridge_identity_learned when an OpenID gets a UnionID or another one. Storing a callback
-- of a known person does not set the column, so this trigger costs the inbox nothing.
CREATE OR REPLACE TRIGGER oa_bridge_identity_updated AFTER UPDATE OF unionid ON openids
FOR EACH ROW WHEN (new.unionid IS NOT NULL AND new.unionid IS DISTINCT FROM old.unionid)
EXECUTE FUNCTION oa_bridge_identity_learned();
