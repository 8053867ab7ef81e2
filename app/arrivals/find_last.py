"""Finds what was sent to people last, and their last launches: the weaker evidence of arrivals."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.arrivals.door import DOOR_COLUMNS, FoundDoor, LastLaunch, WaitingArrival
from app.arrivals.models import ArrivalKind, Door
from app.arrivals.scenes import REFERRED_BY_ACCOUNT, SceneGroup
from app.first_id import first_id

# A card may be sent for 48 hours after a message; a notice lies in a list of notices for longer.
REPLY_WINDOW: Final = timedelta(hours=48)
NOTICE_WINDOW: Final = timedelta(days=7)
LAUNCH_WINDOW: Final = timedelta(days=30)
# Launches of one person among which a door is looked for.
MAX_LAUNCHES: Final = 200
_MSGTYPES: Final = {
    SceneGroup.CARD: "miniprogrampage",
    SceneGroup.TEXT_LINK: "text",
    SceneGroup.NOTICE: None,
}


async def sent_last(
    session: AsyncSession, arrivals: Collection[WaitingArrival]
) -> dict[UUID, FoundDoor]:
    """Return what the person was sent last, of the kind that the scene names, by arrival."""
    people = [
        one
        for one in arrivals
        if one.kind is ArrivalKind.LAUNCH and one.unionid is not None and one.group in _MSGTYPES
    ]
    found: dict[UUID, FoundDoor] = {}
    cards = [one for one in people if one.group is not SceneGroup.NOTICE]
    for row in await session.execute(
        _LAST_REPLIES,
        _bounds(cards, REPLY_WINDOW) | {"msgtypes": [_MSGTYPES[one.group] for one in cards]},
    ):
        found[row.arrival_id] = _door(row, Door.REPLY)
    notices = [one for one in people if one.group is SceneGroup.NOTICE]
    for row in await session.execute(_LAST_NOTICES, _bounds(notices, NOTICE_WINDOW)):
        found[row.arrival_id] = _door(row, Door.NOTICE)
    return found


async def menus_of(
    session: AsyncSession, arrivals: Collection[WaitingArrival]
) -> dict[UUID, FoundDoor]:
    """Return the menu that the referrer had then, and its button if one alone opens that page.

    A menu without a button that opens the mini-program is left out.
    """
    tapped = [
        one
        for one in arrivals
        if one.group is SceneGroup.MENU
        and one.scene in REFERRED_BY_ACCOUNT
        and one.referrer_appid is not None
    ]
    rows = await session.execute(
        _MENUS,
        {
            "ids": [one.id for one in tapped],
            "accounts": [one.referrer_appid for one in tapped],
            "ats": [one.at for one in tapped],
            "paths": [(one.path or "").removeprefix("/") for one in tapped],
            "mini_programs": [one.appid for one in tapped],
        },
    )
    return {
        row.arrival_id: FoundDoor(
            Door.MENU,
            account=row.account,
            menu_number=row.number,
            menu_position=row.positions[0] if len(row.positions or ()) == 1 else None,
        )
        for row in rows
    }


async def last_launches(
    session: AsyncSession, arrivals: Collection[WaitingArrival]
) -> dict[UUID, LastLaunch]:
    """Return the last launch of the person with a door, or one that is not settled."""
    wanted = [
        one
        for one in arrivals
        if one.kind is ArrivalKind.CONVERSION
        and (one.openid is not None or one.unionid is not None)
    ]
    rows = await session.execute(
        _LAST_LAUNCHES,
        {
            "ids": [one.id for one in wanted],
            "appids": [one.appid for one in wanted],
            "openids": [one.openid for one in wanted],
            "unionids": [one.unionid for one in wanted],
            "ats": [one.at for one in wanted],
            "window": LAUNCH_WINDOW,
            "most": MAX_LAUNCHES,
        },
    )
    return {
        row.arrival_id: LastLaunch(
            None if row.door is None else _door(row, Door(row.door)), row.position is None
        )
        for row in rows
    }


async def repeats(session: AsyncSession, ids: Sequence[UUID], window: timedelta) -> set[UUID]:
    """Return those launches whose person entered by the same scene and query a moment before.

    Of two that are not settled, the earlier one counts; of two of which one is settled, that one.
    """
    return set(await session.scalars(_REPEATS, {"ids": list(ids), "window": window}))


def _bounds(arrivals: Sequence[WaitingArrival], window: timedelta) -> dict[str, Any]:
    return {
        "ids": [one.id for one in arrivals],
        "unionids": [one.unionid for one in arrivals],
        "since": [first_id(one.at - window) for one in arrivals],
        "until": [first_id(one.at + timedelta(seconds=1)) for one in arrivals],
        "ats": [one.at for one in arrivals],
    }


def _door(row: Row[Any], door: Door) -> FoundDoor:
    values = {name: getattr(row, name, None) for name in DOOR_COLUMNS if name != "door"}
    return FoundDoor(door, **values)


_PEOPLE: Final = """
unnest(CAST(:ids AS uuid[]), CAST(:unionids AS text[]), CAST(:since AS uuid[]),
       CAST(:until AS uuid[]), CAST(:ats AS timestamptz[])) AS w(id, unionid, since, until, at)
"""

_LAST_NOTICES: Final = text(
    f"""
    SELECT DISTINCT ON (w.id) w.id AS arrival_id, n.appid AS account, n.openid AS recipient,
           n.sent_at, n.id AS notice_id, n.send_id
    FROM {_PEOPLE} JOIN openids o ON o.unionid = w.unionid
    CROSS JOIN LATERAL (
        SELECT id, send_id, appid, openid, first_at AS sent_at FROM notices
        WHERE appid = o.appid AND openid = o.openid AND id >= w.since AND id < w.until
          AND status IN ('sent', 'delivered', 'unknown') AND first_at <= w.at
        ORDER BY id DESC LIMIT 1
    ) AS n
    ORDER BY w.id, n.sent_at DESC
    """  # noqa: S608 - constants of this module
)

_LAST_REPLIES: Final = text(
    f"""
    SELECT DISTINCT ON (w.id) w.id AS arrival_id, r.appid AS account, r.openid AS recipient,
           r.sent_at, r.callback_id, r.id AS reply_id, r.rule_id,
           (SELECT q.id FROM follow_events f
            JOIN qrcodes q ON q.scene = f.scene AND q.appid = f.appid
            WHERE f.id = r.callback_id) AS qrcode_id
    FROM {_PEOPLE} JOIN unnest(CAST(:ids AS uuid[]), CAST(:msgtypes AS text[])) AS m(id, msgtype)
         ON m.id = w.id
    JOIN openids o ON o.unionid = w.unionid
    CROSS JOIN LATERAL (
        (SELECT id, callback_id, appid, openid, rule_id, sent_at FROM replies
         WHERE appid = o.appid AND openid = o.openid AND id >= w.since AND id < w.until
           AND msgtype = m.msgtype AND status = 'sent' AND sent_at <= w.at
         ORDER BY id DESC LIMIT 1)
        UNION ALL
        (SELECT passive_id, id, appid, openid, COALESCE(passive_rule_id, rule_id), received_at
         FROM callbacks
         WHERE appid = o.appid AND openid = o.openid
           AND occurred_at > w.at - CAST(:reply_window AS interval) AND occurred_at <= w.at
           AND passive_id IS NOT NULL AND passive_msgtype = m.msgtype
         ORDER BY occurred_at DESC LIMIT 1)
    ) AS r
    ORDER BY w.id, r.sent_at DESC
    """  # noqa: S608 - constants of this module
).bindparams(reply_window=REPLY_WINDOW)

# The key of such a button is the page, as it was sent.
_MENUS: Final = text("""
SELECT w.id AS arrival_id, w.account, live.number, opens.positions
FROM unnest(CAST(:ids AS uuid[]), CAST(:accounts AS text[]), CAST(:ats AS timestamptz[]),
            CAST(:paths AS text[]), CAST(:mini_programs AS text[]))
     AS w(id, account, at, path, mini_program)
CROSS JOIN LATERAL (
    SELECT number FROM menu_buttons
    WHERE appid = w.account AND live_from <= w.at ORDER BY number DESC LIMIT 1
) AS live
CROSS JOIN LATERAL (
    SELECT array_agg(b.position) FILTER (WHERE split_part(b.event_key, '?', 1) = w.path)
               AS positions
    FROM menu_buttons b
    WHERE b.appid = w.account AND b.number = live.number AND b.event = 'view_miniprogram'
      AND COALESCE(b.mini_program, w.mini_program) = w.mini_program
    HAVING count(*) > 0
) AS opens
""")

_DOOR: Final = ", ".join(DOOR_COLUMNS)
_LAST_LAUNCHES: Final = text(
    f"""
    SELECT w.id AS arrival_id, l.*
    FROM unnest(CAST(:ids AS uuid[]), CAST(:appids AS text[]), CAST(:openids AS text[]),
                CAST(:unionids AS text[]), CAST(:ats AS timestamptz[]))
         AS w(id, appid, openid, unionid, at)
    CROSS JOIN LATERAL (
        SELECT {_DOOR}, position FROM (
            (SELECT {_DOOR}, position, left_out, at FROM arrivals
             WHERE w.openid IS NOT NULL AND appid = w.appid AND openid = w.openid
               AND kind = 'launch' AND at <= w.at AND at > w.at - CAST(:window AS interval)
             ORDER BY at DESC LIMIT :most)
            UNION ALL
            (SELECT {_DOOR}, position, left_out, at FROM arrivals
             WHERE w.openid IS NULL AND unionid = w.unionid AND appid = w.appid
               AND kind = 'launch' AND at <= w.at AND at > w.at - CAST(:window AS interval)
             ORDER BY at DESC LIMIT :most)
        ) AS latest
        WHERE left_out IS NULL AND (door IS NOT NULL OR position IS NULL)
        ORDER BY at DESC LIMIT 1
    ) AS l
    """  # noqa: S608 - constants of this module
)

_SAME: Final = """
    b.appid = a.appid AND b.id <> a.id AND b.kind = 'launch'
    AND b.scene IS NOT DISTINCT FROM a.scene AND b.query IS NOT DISTINCT FROM a.query
    AND b.path IS NOT DISTINCT FROM a.path
    AND b.at > a.at - CAST(:window AS interval) AND b.at < a.at + CAST(:window AS interval)
    AND ((b.position IS NOT NULL AND b.left_out IS NULL)
         OR (b.id = ANY(CAST(:ids AS uuid[])) AND (b.at, b.id) < (a.at, a.id)))
"""
_REPEATS: Final = text(
    f"""
    SELECT a.id FROM arrivals a
    WHERE a.id = ANY(CAST(:ids AS uuid[])) AND a.kind = 'launch' AND (
        (a.openid IS NOT NULL
         AND EXISTS (SELECT FROM arrivals b WHERE b.openid = a.openid AND {_SAME}))
        OR (a.openid IS NULL AND a.unionid IS NOT NULL
            AND EXISTS (SELECT FROM arrivals b WHERE b.unionid = a.unionid AND {_SAME}))
    )
    """  # noqa: S608 - constants of this module
)
