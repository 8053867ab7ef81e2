"""Adds up the rows by which the triggers of `subscription_events` keep the counts of each day.

The rows of `subscription_day_counts` are written by the database function
`oa_bridge_subscriptions_counted`, which the triggers `oa_bridge_subscriptions_inserted`,
`oa_bridge_subscriptions_updated` and `oa_bridge_subscriptions_deleted` call. It uses
`oa_bridge_day` and `oa_bridge_subscription_measure`.
"""

from typing import Final

from sqlalchemy import text

# A row that is deleted is counted in the row that is added, in one statement: readers find the same
# sums before and after it, and two that run at once each move rows of their own.
MERGE: Final = text("""
WITH fresh AS (
    SELECT appid, day, template_id, measure FROM subscription_day_counts
    WHERE NOT is_merged ORDER BY id LIMIT :most
), moved AS (
    DELETE FROM subscription_day_counts AS c
    USING (SELECT DISTINCT appid, day, template_id, measure FROM fresh) AS f
    WHERE c.appid = f.appid AND c.day = f.day AND c.template_id = f.template_id
      AND c.measure = f.measure
    RETURNING c.*
), merged AS (
    INSERT INTO subscription_day_counts (appid, day, template_id, measure, count, is_merged)
    SELECT appid, day, template_id, measure, sum(count), true
    FROM moved GROUP BY appid, day, template_id, measure HAVING sum(count) <> 0
)
SELECT count(*) FROM fresh
""")
