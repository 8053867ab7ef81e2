-- Calls oa_bridge_notice_marked when WeChat has taken a notice, or has reported its delivery.
CREATE OR REPLACE TRIGGER oa_bridge_notice_sent AFTER UPDATE ON notices
FOR EACH ROW WHEN (new.status::text <> old.status::text AND
(new.status::text = ANY (ARRAY['sent'::text, 'delivered'::text, 'undelivered'::text])))
EXECUTE FUNCTION oa_bridge_notice_marked();
