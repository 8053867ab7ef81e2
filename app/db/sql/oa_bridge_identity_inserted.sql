-- Calls oa_bridge_identity_learned for a new OpenID whose UnionID is known already.
CREATE OR REPLACE TRIGGER oa_bridge_identity_inserted AFTER INSERT ON openids
FOR EACH ROW WHEN (new.unionid IS NOT NULL) EXECUTE FUNCTION oa_bridge_identity_learned();
