-- Calls oa_bridge_callback_marked for a callback that arrived more than five seconds ago. The
-- condition compares two times alone: it is evaluated for each row, and a function of ours in it
-- would be prepared anew for each statement.
CREATE OR REPLACE TRIGGER oa_bridge_callback_late AFTER INSERT ON callbacks
FOR EACH ROW WHEN (new.received_at < (now() - '00:00:05'::interval))
EXECUTE FUNCTION oa_bridge_callback_marked();
