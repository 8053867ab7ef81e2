"""Adds up the rows by which the triggers of `campaign_codes` keep the counts of each day.

The rows of `code_day_counts` are written by the database function `oa_bridge_codes_counted`,
which the triggers `oa_bridge_codes_inserted`, `oa_bridge_codes_updated` and
`oa_bridge_codes_deleted` call, and which uses `oa_bridge_day`.
"""

from typing import Final

from sqlalchemy import text

# A row that is deleted is counted in the row that is added, in one statement: readers find the same
# sums before and after it, and two that run at once each move rows of their own.
MERGE: Final = text("""
WITH fresh AS (
    SELECT campaign_id, day, measure FROM code_day_counts
    WHERE NOT is_merged ORDER BY id LIMIT :most
), moved AS (
    DELETE FROM code_day_counts AS c
    USING (SELECT DISTINCT campaign_id, day, measure FROM fresh) AS f
    WHERE c.campaign_id = f.campaign_id AND c.day = f.day AND c.measure = f.measure
    RETURNING c.*
), merged AS (
    INSERT INTO code_day_counts (campaign_id, day, door_kind, door_id, measure, count, is_merged)
    SELECT campaign_id, day, door_kind, door_id, measure, sum(count), true
    FROM moved GROUP BY campaign_id, day, door_kind, door_id, measure HAVING sum(count) <> 0
)
SELECT count(*) FROM fresh
""")
