-- Gives a callback whose dedupe key has no time, as processes and spools of earlier versions have it,
-- the key of today, so that it is known as the same push whichever version stores it. One that is
-- stored under the earlier key keeps it. The trigger oa_bridge_earlier_dedupe_key calls it. A plan
-- that was made while the table was empty would read all of the account later, so none is kept.
--
-- A push from the future has the time at which it arrived in place of its CreateTime, and each copy
-- another one: then the CreateTime is read from the payload.
CREATE OR REPLACE FUNCTION oa_bridge_dedupe_key() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    seconds numeric := floor(extract(epoch FROM NEW.occurred_at));
BEGIN
    IF EXISTS (
        SELECT FROM callbacks WHERE appid = NEW.appid AND dedupe_key = NEW.dedupe_key
    ) THEN
        RETURN NEW;
    END IF;
    IF NEW.occurred_at = NEW.received_at AND NEW.payload ->> 'CreateTime' ~ '^[0-9]{1,19}$' THEN
        seconds := CAST(NEW.payload ->> 'CreateTime' AS numeric);
        WHILE seconds >= 1000000000000 LOOP  -- milliseconds, and what is finer
            seconds := floor(seconds / 1000);
        END LOOP;
    END IF;
    NEW.dedupe_key := substr(int8send(CAST(
        LEAST(GREATEST(seconds, 0), 4294967295) AS bigint)), 5) || NEW.dedupe_key;
    RETURN NEW;
END
$$;
