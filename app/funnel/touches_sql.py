"""SQL of the touches: what becomes one, its doors, and what is known of it."""

from typing import Final

from sqlalchemy import text

from app.funnel.campaign_sql import campaign_doors, with_campaigns
from app.funnel.steps import MAX_WINDOW_DAYS
from app.funnel.sums_sql import COLUMNS, store

_TAPS: Final = (
    "'CLICK', 'VIEW', 'view_miniprogram', 'scancode_push', 'scancode_waitmsg', 'pic_sysphoto', "
    "'pic_photo_or_album', 'pic_weixin', 'location_select'"
)
# What a person does on purpose: messages, follows, scans and taps; and whatever a rule answers.
_BY_PERSON: Final = f"""
    (c.event IS NULL OR c.rule_id IS NOT NULL OR c.event IN ('subscribe', 'SCAN', {_TAPS}))
    AND (c.openid LIKE 'erased:%' OR EXISTS (
        SELECT FROM openids o WHERE o.appid = c.appid AND o.openid = c.openid
    ))
"""

# Of the buttons of all versions the tap belongs to the one that `menus.taps` counts it for.
_PUSHES: Final = f"""
    SELECT c.id, 'push' AS source, c.appid, c.openid AS person, c.occurred_at AS at,
           ARRAY(
               SELECT '' UNION
               SELECT 'rule:' || r.rule_id FROM (
                   VALUES (c.rule_id), (c.passive_rule_id)
                   UNION SELECT rule_id FROM replies
                   WHERE callback_id = c.id AND via = 'customer_service'
               ) AS r(rule_id) WHERE r.rule_id IS NOT NULL
               UNION SELECT unnest(ARRAY['qrcode:', 'qrcode:' || q.id])
               FROM follow_events f JOIN qrcodes q ON q.appid = f.appid AND q.scene = f.scene
               WHERE f.appid = c.appid AND f.openid = c.openid AND f.occurred_at = c.occurred_at
                 AND f.callback_id = c.id
               UNION SELECT unnest(ARRAY['button:', 'button:' || b.number || ':' || b.position])
               FROM (
                   SELECT number, position FROM menu_buttons
                   WHERE c.event IN ({_TAPS}) AND appid = c.appid AND event = c.event
                     AND event_key = c.payload ->> 'EventKey' AND live_from <= c.occurred_at
                   ORDER BY menu_id IS NOT DISTINCT FROM
                                COALESCE(c.payload ->> 'MenuId', c.payload ->> 'MenuID') DESC,
                            number DESC, menu_id NULLS FIRST, position
                   LIMIT 1
               ) AS b
               ORDER BY 1
           ) AS doors,
           c.rule_id IS NOT NULL AS matched, c.event IS NOT DISTINCT FROM 'subscribe' AS followed,
           c.passive_id IS NOT NULL OR c.passive IS NOT NULL OR EXISTS (
               SELECT FROM replies r WHERE r.callback_id = c.id AND r.via = 'customer_service'
                 AND r.status = 'sent'
           ) AS sent,
           CAST(NULL AS bigint) AS opened_after, CAST(NULL AS bigint) AS converted_after,
           false AS opened_exact, false AS converted_exact
    FROM callbacks c
"""  # noqa: S608 - constants of this module
_NEW: Final = "NOT EXISTS (SELECT FROM funnel_touches t WHERE t.id = c.id)"


def _pushes(which: str) -> str:
    return store(with_campaigns(f"{_PUSHES} WHERE {which} AND {_BY_PERSON} AND {_NEW}"))


PUSHES: Final = text(_pushes("c.id >= :since AND c.id < :until"))
MARKED_PUSHES: Final = text(_pushes("c.id = ANY(CAST(:ids AS uuid[]))"))
# Before an erasure clears what the doors are found by. A push behind the cursor may be noted alone.
PUSHES_OF_PERSON: Final = text(_pushes("c.appid = :appid AND c.openid = :openid"))
_T: Final = COLUMNS.replace(", ", ", t.")


def _sent_later(which: str) -> str:
    return store(f"""
        SELECT t.{_T.replace("t.sent", "true")} FROM funnel_touches t
        WHERE {which} AND t.source = 'push' AND NOT t.sent AND EXISTS (
            SELECT FROM replies r WHERE r.callback_id = t.id AND r.via = 'customer_service'
              AND r.status = 'sent'
        )
    """)  # noqa: S608 - constants of this module


SENT_LATER: Final = text(_sent_later("t.id = ANY(CAST(:ids AS uuid[]))"))
SENT_OF_PERSON: Final = text(_sent_later("t.appid = :appid AND t.person = :openid"))


def _notices(which: str, person: str) -> str:
    """Return the statement for notices.

    The doors and the person of one that was counted before stay: an erasure may have changed them.
    """
    return store(f"""
        SELECT n.id, 'notice', n.appid, n.person, n.at,
               COALESCE(n.counted_doors, n.doors || {campaign_doors("n")}), false, false, n.sent,
               n.opened_after, n.converted_after, n.opened_exact, n.converted_exact
        FROM (
            SELECT n.id, n.appid, COALESCE(t.person, {person}) AS person,
                   COALESCE(t.at, n.tried_at, n.created_at) AS at, t.doors AS counted_doors,
                   ARRAY['notice:', 'notice:' || n.send_id] AS doors,
                   n.status IN ('sent', 'delivered') AS sent, t.opened_after, t.converted_after,
                   COALESCE(t.opened_exact, false) AS opened_exact,
                   COALESCE(t.converted_exact, false) AS converted_exact
            FROM notices n LEFT JOIN funnel_touches t ON t.id = n.id
            WHERE {which} AND n.status IN ('sent', 'delivered', 'undelivered')
        ) AS n
    """)  # noqa: S608 - constants of this module


NOTICES: Final = text(_notices("n.id = ANY(CAST(:ids AS uuid[]))", "n.openid"))
# An erasure replaces the OpenID in notices before it comes to touches.
NOTICES_OF_PERSON: Final = text(
    _notices(
        "n.appid = :appid AND n.openid IN (:openid, :pseudonym) AND n.id IN ("
        "SELECT touch_id FROM funnel_marks WHERE kind = 'notice')",
        "CAST(:openid AS text)",
    )
)

_COUNTS: Final = "a.position > :after AND a.position <= :upto AND a.left_out IS NULL"
_SECONDS: Final = "GREATEST(0, CAST(extract(epoch FROM {time} - {since}) AS bigint))"


def _reports(which: str) -> str:
    """Return the statement for what replies and notices led to. LEAST leaves out NULL."""
    return store(f"""
        SELECT t.id, t.source, t.appid, t.person, t.at, t.doors, t.matched, t.followed, t.sent,
               LEAST(t.opened_after, a.opened_after), LEAST(t.converted_after, a.converted_after),
               t.opened_exact OR a.opened_exact, t.converted_exact OR a.converted_exact
        FROM (
            SELECT COALESCE(a.callback_id, a.notice_id) AS id,
                   min(s.seconds) FILTER (WHERE a.kind = 'launch') AS opened_after,
                   min(s.seconds) FILTER (WHERE a.kind = 'conversion') AS converted_after,
                   bool_or(a.kind = 'launch' AND a.basis = 'ref') AS opened_exact,
                   bool_or(a.kind = 'conversion' AND a.basis = 'ref') AS converted_exact
            FROM arrivals a CROSS JOIN LATERAL (
                SELECT {_SECONDS.format(time="a.at", since="a.sent_at")} AS seconds
            ) AS s
            WHERE {which} AND a.left_out IS NULL AND a.door IN ('reply', 'notice')
              AND a.sent_at IS NOT NULL
            GROUP BY 1
        ) AS a JOIN funnel_touches t USING (id)
    """)  # noqa: S608 - constants of this module


REPORTS: Final = text(_reports("a.position > :after AND a.position <= :upto"))
# Counted again when their turn comes, which changes nothing.
REPORTS_OF_PERSON: Final = text(
    _reports("a.account = :appid AND a.recipient = :openid AND a.position > :after")
)

_DOORS: Final = """
    CASE a.door WHEN 'link' THEN ARRAY['link:', 'link:' || a.link_id]
         ELSE ARRAY['button:', 'button:' || a.menu_number || ':' || COALESCE(a.menu_position, '')]
    END
"""
_PERSON: Final = "COALESCE(a.unionid, a.openid, '')"
# A conversion belongs to each launch of the person by the same door before it.
_LAUNCHES: Final = f"""
        SELECT a.id, 'launch', COALESCE(a.account, a.appid), {_PERSON}, a.at, {_DOORS}, false,
               false, false, 0, c.after, a.basis = 'ref', COALESCE(c.exact, false)
        FROM arrivals a CROSS JOIN LATERAL (
            SELECT min({_SECONDS.format(time="b.at", since="a.at")}) AS after,
                   bool_or(b.basis = 'ref') AS exact
            FROM arrivals b
            WHERE (b.unionid = a.unionid OR (a.unionid IS NULL AND b.unionid IS NULL
                   AND b.appid = a.appid AND b.openid = a.openid))
              AND b.kind = 'conversion' AND b.left_out IS NULL AND b.position <= :upto
              AND b.door = a.door AND b.link_id IS NOT DISTINCT FROM a.link_id
              AND b.menu_number IS NOT DISTINCT FROM a.menu_number
              AND b.menu_position IS NOT DISTINCT FROM a.menu_position
              AND b.account IS NOT DISTINCT FROM a.account
              AND b.at >= a.at AND b.at <= a.at + interval '{MAX_WINDOW_DAYS} days'
        ) AS c
        WHERE {_COUNTS} AND a.kind = 'launch' AND a.door IN ('link', 'menu')
"""  # noqa: S608 - constants of this module
LAUNCHES: Final = text(store(with_campaigns(_LAUNCHES)))
CONVERSIONS: Final = text(
    store(f"""
        SELECT t.id, t.source, t.appid, t.person, t.at, t.doors, t.matched, t.followed, t.sent,
               t.opened_after,
               LEAST(t.converted_after, min({_SECONDS.format(time="a.at", since="t.at")})),
               t.opened_exact, t.converted_exact OR bool_or(a.basis = 'ref')
        FROM arrivals a JOIN funnel_touches t ON t.person = {_PERSON}
         AND t.appid = COALESCE(a.account, a.appid)
         AND t.at <= a.at AND t.at >= a.at - interval '{MAX_WINDOW_DAYS} days'
        WHERE {_COUNTS} AND a.kind = 'conversion' AND a.door IN ('link', 'menu')
          AND t.source = 'launch' AND t.person <> '' AND t.doors @> {_DOORS}
        GROUP BY t.id
    """)  # noqa: S608 - constants of this module
)
