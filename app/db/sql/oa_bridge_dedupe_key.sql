-- Gives a callback whose dedupe key has no time, as processes and spools of earlier versions have it,
-- the key of today, so that it is known as the same push whichever version stores it. One that is
-- stored under the earlier key keeps it. The trigger oa_bridge_earlier_dedupe_key calls it. A plan
-- that is made while the table is empty must not read it whole when it is not.
CREATE OR REPLACE FUNCTION oa_bridge_dedupe_key() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM callbacks WHERE appid = NEW.appid AND dedupe_key = NEW.dedupe_key
    ) THEN
        NEW.dedupe_key := substr(int8send(CAST(LEAST(GREATEST(
            floor(extract(epoch FROM NEW.occurred_at)), 0), 4294967295) AS bigint)), 5)
            || NEW.dedupe_key;
    END IF;
    RETURN NEW;
END
$$;
