-- Notes by how much the codes that were given or redeemed on a day have become more or fewer, by
-- campaign and door, so that the figures need not read the codes. The triggers
-- oa_bridge_codes_inserted, oa_bridge_codes_updated and oa_bridge_codes_deleted call it. It inserts
-- alone, so that nobody waits for anybody; app/codes/day_counts.py adds up what it inserts.
CREATE OR REPLACE FUNCTION oa_bridge_codes_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO code_day_counts (campaign_id, day, door_kind, door_id, measure, count)
        SELECT campaign_id, oa_bridge_day(at), door_kind, door_id, measure, count(*)
        FROM new_rows
        CROSS JOIN LATERAL (VALUES ('given', given_at), ('redeemed', redeemed_at)) AS m (measure, at)
        WHERE at IS NOT NULL AND void_at IS NULL GROUP BY 1, 2, 3, 4, 5;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO code_day_counts (campaign_id, day, door_kind, door_id, measure, count)
        SELECT campaign_id, oa_bridge_day(at), door_kind, door_id, measure, -count(*)
        FROM old_rows
        CROSS JOIN LATERAL (VALUES ('given', given_at), ('redeemed', redeemed_at)) AS m (measure, at)
        WHERE at IS NOT NULL AND void_at IS NULL GROUP BY 1, 2, 3, 4, 5;
    ELSE
        INSERT INTO code_day_counts (campaign_id, day, door_kind, door_id, measure, count)
        SELECT campaign_id, oa_bridge_day(at), door_kind, door_id, measure, sum(sign)
        FROM (SELECT 1 AS sign, * FROM new_rows UNION ALL SELECT -1, * FROM old_rows) AS changed
        CROSS JOIN LATERAL (VALUES ('given', given_at), ('redeemed', redeemed_at)) AS m (measure, at)
        WHERE at IS NOT NULL AND void_at IS NULL GROUP BY 1, 2, 3, 4, 5 HAVING sum(sign) <> 0;
    END IF;
    RETURN NULL;
END
$$;
