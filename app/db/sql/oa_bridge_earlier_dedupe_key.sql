-- Calls oa_bridge_dedupe_key for a callback whose dedupe key is one of an earlier version, by its
-- length.
CREATE OR REPLACE TRIGGER oa_bridge_earlier_dedupe_key BEFORE INSERT ON callbacks
FOR EACH ROW WHEN (octet_length(new.dedupe_key) = 16)
EXECUTE FUNCTION oa_bridge_dedupe_key();
