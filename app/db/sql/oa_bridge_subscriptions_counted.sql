-- Notes by how much the answers to popups and the reports of deliveries of a day have become more or
-- fewer, by template and measure, so that the figures need not read them. The triggers
-- oa_bridge_subscriptions_inserted, oa_bridge_subscriptions_updated and
-- oa_bridge_subscriptions_deleted call it. It inserts alone, so that nobody waits for anybody;
-- app/events/day_counts.py adds up what it inserts.
CREATE OR REPLACE FUNCTION oa_bridge_subscriptions_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO subscription_day_counts (appid, day, template_id, measure, count)
        SELECT appid, oa_bridge_day(occurred_at), template_id,
               oa_bridge_subscription_measure(action, status, error_code), count(*)
        FROM new_rows
        GROUP BY 1, 2, 3, 4;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO subscription_day_counts (appid, day, template_id, measure, count)
        SELECT appid, oa_bridge_day(occurred_at), template_id,
               oa_bridge_subscription_measure(action, status, error_code), -count(*)
        FROM old_rows
        GROUP BY 1, 2, 3, 4;
    ELSE
        INSERT INTO subscription_day_counts (appid, day, template_id, measure, count)
        SELECT appid, oa_bridge_day(occurred_at), template_id,
               oa_bridge_subscription_measure(action, status, error_code), sum(sign)
        FROM (SELECT 1 AS sign, * FROM new_rows UNION ALL SELECT -1, * FROM old_rows) AS changed
        GROUP BY 1, 2, 3, 4 HAVING sum(sign) <> 0;
    END IF;
    RETURN NULL;
END
$$;
