-- Draws the next position in the history: the column default of `position` in follow_events,
-- subscription_events, followers and identity_events.
--
-- A position is drawn before its row is committed, so a lower position may appear after a higher
-- one. The first call in a transaction therefore claims the present end of the sequence until that
-- transaction ends; what lies at or below every claim can no longer change. A claim is a shared
-- advisory lock: it ends with its transaction, also after a crash, and blocks nobody. The upper 16
-- bits of the lock's key say that it is a claim (0x4F41), the other 48 bits carry the position.
-- oa_bridge_settled_position reads the claims.
CREATE OR REPLACE FUNCTION oa_bridge_next_position() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF COALESCE(current_setting('oa_bridge.position_claimed', true), '') = '' THEN
        PERFORM pg_advisory_xact_lock_shared(
            (20289::bigint << 48) | (SELECT last_value FROM history_position)
        );
        PERFORM set_config('oa_bridge.position_claimed', 'yes', true);
    END IF;
    RETURN nextval('history_position');
END
$$;
