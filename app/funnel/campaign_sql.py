"""SQL of the campaigns among the doors of a touch.

A touch belongs to a campaign if one of its doors is the campaign's and it happened within the
campaign's span. It has the campaign as a further door then, once, however many of its doors lead
there: people and times of a campaign are no sum over its doors. Each door of the touch is one
within the campaign too, `within:` with the campaign's id and the door, also if it is none of the
campaign's. The definition of a campaign by which its touches were counted is kept, so that a change
of it is seen.
"""

from typing import Final

from app.funnel.sums_sql import COLUMNS, store

# A button is named by its account and its place, in whichever version of the menu.
_IS_PLAIN: Final = "{d} NOT LIKE 'campaign:%' AND {d} NOT LIKE 'within:%'"
_KEY: Final = """
    CASE WHEN own.door LIKE 'button:_%'
         THEN 'button:' || {t}.appid || '/' || split_part(own.door, ':', 3) ELSE own.door END
"""


def campaign_doors(touch: str) -> str:
    """Return the SQL of the campaigns of a touch, as an array of doors. touch: its alias."""
    return f"""ARRAY(
        SELECT DISTINCT further.door
        FROM unnest({touch}.doors) AS own(door)
        JOIN funnel_campaign_doors d ON d.door = {_KEY.format(t=touch)}
        JOIN funnel_campaigns c ON c.id = d.campaign_id
         AND {touch}.at >= c.starts_at AND {touch}.at < c.ends_at
        CROSS JOIN LATERAL (
            VALUES ('campaign:'), ('campaign:' || c.id)
            UNION ALL
            SELECT 'within:' || c.id || '/' || o.door FROM unnest({touch}.doors) AS o(door)
            WHERE o.door <> '' AND {_IS_PLAIN.format(d="o.door")}
        ) AS further(door)
        ORDER BY 1
    )"""  # noqa: S608 - the alias of a caller


def with_campaigns(touches: str) -> str:
    """Return a query for new touches with their campaigns. touches: a query without them."""
    columns = COLUMNS.replace(", ", ", n.").replace("n.doors", f"n.doors || {campaign_doors('n')}")
    return f"SELECT n.{columns} FROM ({touches}) AS n ({COLUMNS})"  # noqa: S608 - as above


# An erasure has taken the campaigns of a touch to one of nobody known, where they stay as they
# were counted; what is left of the person belongs to none.
_FROZEN: Final = "(t.campaigns_taken OR t.person LIKE 'anonymous:%')"
_PLAIN: Final = f"ARRAY(SELECT d FROM unnest(t.doors) AS d WHERE {_IS_PLAIN.format(d='d')})"  # noqa: S608
_LEFT: Final = """ARRAY(
    SELECT DISTINCT further.door FROM funnel_campaigns c JOIN unnest(t.doors) AS own(door)
        ON own.door = 'campaign:' || c.id OR starts_with(own.door, 'within:' || c.id || '/')
    CROSS JOIN LATERAL (
        VALUES (own.door), (CASE WHEN starts_with(own.door, 'campaign:') THEN 'campaign:' END)
    ) AS further(door)
    WHERE c.revision IS NOT NULL AND further.door IS NOT NULL
    ORDER BY 1
)"""
_T: Final = COLUMNS.replace(", ", ", t.").replace("t.doors", "n.doors")


def _recount(which: str) -> str:
    """Return the statement that stores those touches whose campaigns are others by now."""
    return store(f"""
        SELECT t.{_T} FROM funnel_touches t CROSS JOIN LATERAL (
            SELECT {_PLAIN}
                || CASE WHEN {_FROZEN} THEN {_LEFT} ELSE {campaign_doors("t")} END AS doors
        ) AS n
        WHERE {which} AND n.doors <> t.doors
    """)  # noqa: S608 - constants of this module


RECOUNT: Final = _recount(
    "t.appid = ANY(CAST(:appids AS text[])) AND t.at >= :since AND t.at < :until"
)
RECOUNT_OF_PERSON: Final = _recount("t.appid = :appid AND t.person = :openid")

TAKE_CAMPAIGNS: Final = """
    UPDATE funnel_touches SET campaigns_taken = true
    WHERE appid = :appid AND source <> 'launch' AND at <= :until AND NOT campaigns_taken
      AND person = CASE WHEN CAST(:of_identity AS boolean) THEN CAST(:pseudonym AS text)
                        ELSE :openid END
"""

# A campaign that is new or changed, or is deleted since it was counted.
CHANGED: Final = """
    SELECT COALESCE(c.id, f.id) AS id, c.revision, c.starts_at, c.ends_at
    FROM (SELECT * FROM campaigns WHERE deleted_at IS NULL) AS c
    FULL JOIN funnel_campaigns f ON f.id = c.id
    WHERE f.revision IS DISTINCT FROM c.revision
    LIMIT 100
"""
# What was counted for it before is counted again, too: all between the first and the last moment.
# An erasure has rounded times down by up to a quarter of an hour.
NOTE: Final = """
    INSERT INTO funnel_campaigns AS f
        (id, revision, starts_at, ends_at, recount_from, recount_until)
    VALUES (:id, :revision, :starts_at, :ends_at,
            CAST(:starts_at AS timestamptz) - interval '15 minutes', :ends_at)
    ON CONFLICT (id) DO UPDATE SET revision = EXCLUDED.revision,
        starts_at = EXCLUDED.starts_at, ends_at = EXCLUDED.ends_at,
        recount_from = LEAST(EXCLUDED.recount_from, f.recount_from,
                             f.starts_at - interval '15 minutes'),
        recount_until = GREATEST(EXCLUDED.recount_until, f.recount_until, f.ends_at)
"""
NOTE_DELETED: Final = """
    UPDATE funnel_campaigns SET revision = NULL, starts_at = ends_at,
        recount_from = LEAST(recount_from, starts_at - interval '15 minutes'),
        recount_until = GREATEST(recount_until, ends_at)
    WHERE id = :id
"""
FORGET_DOORS: Final = "DELETE FROM funnel_campaign_doors WHERE campaign_id = :id"
NOTE_DOORS: Final = """
    INSERT INTO funnel_campaign_doors (door, campaign_id)
    SELECT CASE kind WHEN 'menu_button' THEN 'button' ELSE kind END || ':' || door_id, campaign_id
    FROM campaign_doors WHERE campaign_id = :id
"""
DUE: Final = """
    SELECT id, recount_from, recount_until FROM funnel_campaigns
    WHERE recount_from IS NOT NULL ORDER BY id LIMIT 1
"""
ACCOUNTS: Final = """
    WITH RECURSIVE account AS (
        (SELECT appid FROM funnel_touches ORDER BY appid LIMIT 1)
        UNION ALL
        SELECT (SELECT t.appid FROM funnel_touches t WHERE t.appid > a.appid
                ORDER BY t.appid LIMIT 1)
        FROM account a WHERE a.appid IS NOT NULL
    )
    SELECT appid FROM account WHERE appid IS NOT NULL
"""
# The first touch at or after a moment.
NEXT: Final = """
    SELECT min(t.at) FROM unnest(CAST(:appids AS text[])) AS account (appid) CROSS JOIN LATERAL (
        SELECT at FROM funnel_touches WHERE appid = account.appid AND at >= :since
        ORDER BY at LIMIT 1
    ) AS t
"""
GO_ON: Final = "UPDATE funnel_campaigns SET recount_from = :since WHERE id = :id"
END: Final = """
    UPDATE funnel_campaigns SET recount_from = NULL, recount_until = NULL WHERE id = :id
"""
DELETE_GONE: Final = """
    DELETE FROM funnel_campaigns WHERE revision IS NULL AND recount_from IS NULL
"""
