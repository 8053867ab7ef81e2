-- Notes a callback that is stored some time after it arrived, as those of a spool are, so that the
-- funnel counts it although its cursor may have passed. The trigger oa_bridge_callback_late calls it.
CREATE OR REPLACE FUNCTION oa_bridge_callback_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO funnel_marks (kind, touch_id) VALUES ('push', NEW.id);
    RETURN NULL;
END
$$;
