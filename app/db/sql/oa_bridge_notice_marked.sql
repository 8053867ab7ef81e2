-- Notes for the funnel that a notice was sent, or did not arrive. The trigger oa_bridge_notice_sent
-- calls it.
CREATE OR REPLACE FUNCTION oa_bridge_notice_marked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO funnel_marks (kind, touch_id) VALUES ('notice', NEW.id);
    RETURN NULL;
END
$$;
