-- Returns a position at or below which no further row will appear; sometimes a lower one than
-- necessary.
--
-- The end of the sequence is read before the claims of oa_bridge_next_position: a position below
-- that end which is not committed yet belongs to a claim that is older than this look at the
-- claims. The caller has to read the rows in a later statement, whose snapshot then holds all of
-- them.
CREATE OR REPLACE FUNCTION oa_bridge_settled_position() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    claimed bigint;
BEGIN
    SELECT last_value INTO reached FROM history_position;
    SELECT min(((classid::bigint & 65535) << 32) | objid::bigint) INTO claimed
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> 16 = 20289
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database());
    RETURN LEAST(reached, claimed);
END
$$;
