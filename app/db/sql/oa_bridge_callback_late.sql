-- Calls oa_bridge_callback_marked for a callback that arrived more than five seconds ago.
CREATE OR REPLACE TRIGGER oa_bridge_callback_late AFTER INSERT ON callbacks
FOR EACH ROW WHEN (new.id < oa_bridge_first_id(now() - '00:00:05'::interval))
EXECUTE FUNCTION oa_bridge_callback_marked();
