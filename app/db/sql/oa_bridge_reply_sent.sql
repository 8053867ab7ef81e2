-- Calls oa_bridge_reply_marked when a queued reply was sent.
CREATE OR REPLACE TRIGGER oa_bridge_reply_sent AFTER UPDATE ON replies
FOR EACH ROW WHEN (new.status::text = 'sent'::text AND old.status::text <> 'sent'::text)
EXECUTE FUNCTION oa_bridge_reply_marked();
