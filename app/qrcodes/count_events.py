"""SQL that counts scans, follows, who left and cards, by code and day.

An event counts once: when the cursor passes it, or before, when its scene is erased. An event
whose scene is erased counts no more. A follow that ended is counted when the second of the two
events is, whichever arrived first. So the figures are the same in whatever steps the cursor goes.

An event counts by what had arrived before it: a later event that happened earlier does not change
what was counted. A follow of somebody who followed already, since an unfollow was missed, is a scan
alone. What happened before a code was added is not counted.
"""

from typing import Final

from sqlalchemy import text

# Those that are to be counted, of each account and action by the index of arrivals.
_ARRIVED: Final = """
    SELECT e.* FROM unnest(CAST(:appids AS text[])) AS a(appid)
    CROSS JOIN unnest(ARRAY['follow', 'unfollow', 'scan']) AS k(action)
    CROSS JOIN LATERAL (
        SELECT f.id, f.appid, f.openid, f.action, f.scene, f.occurred_at, f.position
        FROM follow_events f
        WHERE f.appid = a.appid AND f.action = k.action
          AND f.position > :after AND f.position <= :upto
        ORDER BY f.position
    ) AS e
"""
_OF_PERSON: Final = """
    SELECT f.id, f.appid, f.openid, f.action, f.scene, f.occurred_at, f.position
    FROM follow_events f
    WHERE f.appid = :appid AND f.openid = :openid AND f.position > :after
"""
_PAIRED: Final = """
step AS (
    SELECT e.*, p.action AS before_action, p.scene AS before_scene, p.occurred_at AS before_at,
           n.action AS next_action, n.occurred_at AS next_at
    FROM event e
    LEFT JOIN LATERAL (
        SELECT b.action, b.scene, b.occurred_at FROM follow_events b
        WHERE b.appid = e.appid AND b.openid = e.openid AND b.action IN ('follow', 'unfollow')
          AND (b.occurred_at, b.id) < (e.occurred_at, e.id) AND b.position < e.position
        ORDER BY b.occurred_at DESC, b.id DESC LIMIT 1
    ) AS p ON e.action <> 'scan'
    LEFT JOIN LATERAL (
        SELECT b.action, b.occurred_at FROM follow_events b
        WHERE b.appid = e.appid AND b.openid = e.openid AND b.action IN ('follow', 'unfollow')
          AND (b.occurred_at, b.id) > (e.occurred_at, e.id) AND b.position < e.position
        ORDER BY b.occurred_at, b.id LIMIT 1
    ) AS n ON e.action = 'follow' AND e.scene IS NOT NULL
), one AS (
    SELECT appid, scene, occurred_at AS at, 1 AS scans,
           CAST(action = 'follow' AND before_action IS NULL AS int) AS new_follows,
           CASE WHEN action = 'follow' AND before_action = 'unfollow' THEN 1 ELSE 0
           END AS refollows,
           CASE WHEN next_action = 'unfollow' THEN next_at - occurred_at END AS stayed,
           0 AS cards
    FROM step WHERE scene IS NOT NULL
    UNION ALL
    SELECT appid, before_scene, before_at, 0, 0, 0, occurred_at - before_at, 0
    FROM step
    WHERE action = 'unfollow' AND before_action = 'follow' AND before_scene IS NOT NULL
"""
_CARDS: Final = """
    SELECT f.appid, f.scene, r.sent_at AS at, 0 AS scans, 0 AS new_follows, 0 AS refollows,
           CAST(NULL AS interval) AS stayed, 1 AS cards
    FROM replies r JOIN follow_events f ON f.id = r.callback_id
    WHERE r.status = 'sent' AND r.msgtype = 'miniprogrampage' AND f.scene IS NOT NULL
"""
_OF_PERSON_CARDS: Final = """
    SELECT f.appid, f.scene, r.sent_at AS at, 0, 0, 0, CAST(NULL AS interval), 1
    FROM follow_events f JOIN replies r ON r.callback_id = f.id AND r.via = 'customer_service'
    WHERE f.appid = :appid AND f.openid = :openid AND f.scene IS NOT NULL
      AND f.occurred_at <= :until AND r.status = 'sent' AND r.msgtype = 'miniprogrampage'
      AND r.sent_at >= CAST(:cards_after AS timestamptz)
"""
_SUMMED: Final = """
)
SELECT q.id, CAST(one.at AT TIME ZONE 'Asia/Shanghai' AS date) AS day,
       CAST(sum(one.scans) AS bigint), CAST(sum(one.new_follows) AS bigint),
       CAST(sum(one.refollows) AS bigint),
       count(*) FILTER (WHERE stayed <= INTERVAL '1 day'),
       count(*) FILTER (WHERE stayed <= INTERVAL '7 days'),
       CAST(sum(one.cards) AS bigint)
FROM one JOIN qrcodes q USING (appid, scene)
WHERE one.at >= date_trunc('second', q.created_at)
GROUP BY q.id, day
"""

# When the card after so many was sent: the cards before it are counted at once.
AFTER_BATCH: Final = text("""
SELECT sent_at FROM replies
WHERE status = 'sent' AND msgtype = 'miniprogrampage'
  AND sent_at >= CAST(:cards_after AS timestamptz) AND sent_at < CAST(:settled AS timestamptz)
ORDER BY sent_at OFFSET :batch LIMIT 1
""")
EVENTS: Final = text(f"WITH event AS ({_ARRIVED}), {_PAIRED} {_SUMMED}")
CARDS: Final = text(f"""
WITH one AS (
    {_CARDS} AND r.sent_at >= CAST(:cards_after AS timestamptz)
    AND r.sent_at < CAST(:cards_until AS timestamptz)
    {_SUMMED}""")
# Of what will lose its scene: the person's events and follows up to the erased moment.
PERSON: Final = text(f"""
WITH event AS ({_OF_PERSON}), {_PAIRED}
    UNION ALL {_OF_PERSON_CARDS}
), within AS (
    SELECT * FROM one WHERE at <= :until OR cards > 0
{_SUMMED.replace("FROM one JOIN", "FROM within AS one JOIN")}""")  # noqa: S608 - constants of this module
