-- Returns the day of a moment as the sums by day have it: a day of UTC+8, the time of mainland China.
CREATE OR REPLACE FUNCTION oa_bridge_day(moment timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CAST(moment AT TIME ZONE 'UTC' + interval '8 hours' AS date)
$$;
