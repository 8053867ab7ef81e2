-- Notes for the funnel that a reply was sent, by its callback. The trigger oa_bridge_reply_sent
-- calls it.
CREATE OR REPLACE FUNCTION oa_bridge_reply_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO funnel_marks (kind, touch_id) VALUES ('push', NEW.callback_id);
    RETURN NULL;
END
$$;
