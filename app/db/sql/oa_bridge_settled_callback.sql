-- Returns a time of which no callback will appear any more: the ids of those that appear later are
-- of a later time, or they are noted by the trigger oa_bridge_callback_late.
--
-- A transaction that is open may have begun before it stored anything. Whatever it stores arrived at
-- most five seconds before its begin, or is noted. An id is drawn before the time of arrival is
-- taken, by no more than the four seconds after which a callback is given up. A transaction that has
-- read for more than a minute and has written nothing stores no callback. Six seconds more are for
-- clocks that differ.
CREATE OR REPLACE FUNCTION oa_bridge_settled_callback() RETURNS timestamptz LANGUAGE sql AS $$
    SELECT LEAST(clock_timestamp(), (
        SELECT min(xact_start) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND (backend_xid IS NOT NULL OR xact_start > clock_timestamp() - interval '1 minute')
    )) - interval '15 seconds'
$$;
