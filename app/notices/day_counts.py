"""Adds up the rows by which the triggers of `notices` keep the counts of each day.

The rows of `notice_day_counts` are written by the database function `oa_bridge_notices_counted`,
which the triggers `oa_bridge_notices_inserted`, `oa_bridge_notices_updated` and
`oa_bridge_notices_deleted` call, and which uses `oa_bridge_day` and `oa_bridge_notice_reason`.
"""

from typing import Final

from sqlalchemy import text

# A row that is deleted is counted in the row that is added, in one statement: readers find the same
# sums before and after it, and two that run at once each move rows of their own.
MERGE: Final = text("""
WITH fresh AS (
    SELECT appid, day, template_id, status FROM notice_day_counts
    WHERE NOT is_merged ORDER BY id LIMIT :most
), moved AS (
    DELETE FROM notice_day_counts AS c
    USING (SELECT DISTINCT appid, day, template_id, status FROM fresh) AS f
    WHERE c.appid = f.appid AND c.day = f.day AND c.template_id = f.template_id
      AND c.status = f.status
    RETURNING c.*
), merged AS (
    INSERT INTO notice_day_counts (appid, day, template_id, status, errcode, reason, count,
                                   is_merged)
    SELECT appid, day, template_id, status, errcode, reason, sum(count), true
    FROM moved GROUP BY appid, day, template_id, status, errcode, reason HAVING sum(count) <> 0
)
SELECT count(*) FROM fresh
""")
