-- Notes how a follower came, as it was, when that changes: each event of the person is counted by
-- what is known at present. The triggers oa_bridge_how_inserted, oa_bridge_how_updated and
-- oa_bridge_how_deleted call it. Before a row is inserted nothing is known.
CREATE OR REPLACE FUNCTION oa_bridge_how_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO counted_hows (appid, openid) VALUES (NEW.appid, NEW.openid);
    ELSE
        INSERT INTO counted_hows (appid, openid, how) VALUES (OLD.appid, OLD.openid, OLD.how);
    END IF;
    RETURN NULL;
END
$$;
