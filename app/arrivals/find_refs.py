"""Finds what refs lead to, for many at once. A ref that leads nowhere is left out."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import refs
from app.arrivals.door import FoundDoor
from app.arrivals.models import Door
from app.first_id import first_id

_SECOND: Final = timedelta(seconds=1)
# Bytes of an id by which the replies of a second are told apart first.
_END: Final = 4


@dataclass(frozen=True, slots=True)
class RefDoor:
    """What a ref leads to. mini_program: the AppID that it opens; None: that is not looked for.

    Refs of links and of menu buttons are seen by all who open them, so that the backend of another
    mini-program could report them.
    """

    door: FoundDoor
    mini_program: str | None = None

    def leads_to(self, appid: str) -> bool:
        """Return whether it may have led to a mini-program."""
        return self.mini_program in {None, appid}


async def doors_of(
    session: AsyncSession, wanted: Collection[str], now: datetime
) -> dict[str, RefDoor]:
    """Return the doors by ref. now: no reply was made later."""
    found: dict[str, RefDoor] = {}
    # What costs a probe comes before what reads a second of replies.
    for find in (_links, _buttons, _notices):
        found |= await find(session, [ref for ref in wanted if ref not in found])
    return found | await _replies(session, [ref for ref in wanted if ref not in found], now)


async def _links(session: AsyncSession, wanted: list[str]) -> dict[str, RefDoor]:
    short = [ref for ref in wanted if refs.is_short(ref)]
    slugs = {ref: parts[0] for ref in wanted if (parts := refs.dotted_parts(ref))}
    rows = await session.execute(
        _LINKS, {"ends": [refs.link_end(ref) for ref in short], "slugs": list(slugs.values())}
    )
    by_mark, by_slug = dict[str, RefDoor](), dict[str, RefDoor]()
    for link_id, slug, appid in rows:
        door = RefDoor(FoundDoor(Door.LINK, link_id=link_id), appid)
        by_mark[refs.link_mark(link_id)] = by_slug[slug] = door
    found = {ref: by_mark.get(ref[: refs.LINK_MARK]) for ref in short}
    found |= {ref: by_slug.get(slug) for ref, slug in slugs.items()}
    return {ref: door for ref, door in found.items() if door is not None}


async def _buttons(session: AsyncSession, wanted: list[str]) -> dict[str, RefDoor]:
    places = {
        ref: (ref[: refs.MENU_MARK], refs.position_of(ref)) for ref in wanted if refs.is_short(ref)
    }
    places |= {ref: parts for ref in wanted if (parts := refs.dotted_parts(ref))}
    rows = await session.execute(_BUTTONS, {"marks": [mark for mark, _ in places.values()]})
    buttons = {(row.mark, row.position): row for row in rows}
    return {
        ref: RefDoor(
            FoundDoor(
                Door.MENU,
                account=buttons[place].appid,
                menu_number=buttons[place].number,
                menu_position=buttons[place].position,
            ),
            buttons[place].mini_program,
        )
        for ref, place in places.items()
        if place in buttons
    }


async def _notices(session: AsyncSession, wanted: list[str]) -> dict[str, RefDoor]:
    ends = {ref: refs.notice_end(ref) for ref in wanted if refs.is_short(ref)}
    ids = {ref: one for ref in wanted if (one := refs.id_in(ref))}
    rows = await session.execute(_NOTICES, {"ends": list(ends.values()), "ids": list(ids.values())})
    by_end, by_id = dict[str, RefDoor](), dict[UUID, RefDoor]()
    for row in rows:
        door = FoundDoor(
            Door.NOTICE,
            account=row.appid,
            recipient=row.openid,
            sent_at=row.sent_at,
            notice_id=row.id,
            send_id=row.send_id,
        )
        by_end[str(row.id)[-16:]] = by_id[row.id] = RefDoor(door)
    found = {ref: by_end[end] for ref, end in ends.items() if end in by_end}
    return found | {ref: by_id[one] for ref, one in ids.items() if one in by_id}


async def _replies(session: AsyncSession, wanted: list[str], now: datetime) -> dict[str, RefDoor]:
    traces = list(_reply_traces(wanted, now))
    bounds = {
        "refs": [ref for ref, *_ in traces],
        "lower": [lower for _, lower, *_ in traces],
        "upper": [upper for *_, upper, _ in traces],
        "ends": [end for *_, end in traces],
    }
    found: dict[str, RefDoor] = {}
    for statement in (_REPLIES, _PASSIVE_REPLIES):
        for row in await session.execute(statement, bounds):
            # The end is a little less than what a ref has of an id.
            if refs.is_short(row.ref) and refs.of_reply(row.id) != row.ref:
                continue
            door = FoundDoor(
                Door.REPLY,
                account=row.appid,
                recipient=row.openid,
                sent_at=row.sent_at,
                callback_id=row.callback_id,
                reply_id=row.id,
                rule_id=row.rule_id,
                qrcode_id=row.qrcode_id,
            )
            found[row.ref] = RefDoor(door)
    return found


def _reply_traces(wanted: list[str], now: datetime) -> Iterator[tuple[str, UUID, UUID, bytes]]:
    """Yield each ref, the ids between which its reply is, and the end of its id."""
    for ref in wanted:
        whole = refs.id_in(ref)
        if whole is not None:
            yield ref, whole, UUID(int=min(whole.int + 1, (1 << 128) - 1)), whole.bytes[-_END:]
        elif refs.is_short(ref):
            trace = refs.reply_trace(ref)
            second = trace.second_before(now)
            end = (trace.low & (1 << 8 * _END) - 1).to_bytes(_END, "big")
            yield ref, first_id(second), first_id(second + _SECOND), end


_LINKS: Final = text("""
SELECT id, slug, appid FROM links WHERE right(CAST(id AS text), 10) = ANY(CAST(:ends AS text[]))
UNION ALL
SELECT id, slug, appid FROM links WHERE slug = ANY(CAST(:slugs AS text[]))
""")

_BUTTONS: Final = text("""
SELECT v.mark, v.appid, v.number, b.position, b.mini_program
FROM menu_versions v JOIN menu_buttons b ON b.appid = v.appid AND b.number = v.number
WHERE v.mark = ANY(CAST(:marks AS text[]))
""")

_NOTICES: Final = text("""
SELECT id, send_id, appid, openid, first_at AS sent_at
FROM notices
WHERE right(CAST(id AS text), 16) = ANY(CAST(:ends AS text[])) AND first_at IS NOT NULL
UNION ALL
SELECT id, send_id, appid, openid, COALESCE(first_at, created_at)
FROM notices WHERE id = ANY(CAST(:ids AS uuid[]))
""")

# Each second is read once, however many refs are of it. Only ids are read, from the index, and of
# an id only its last bytes are compared: that costs a quarter of what its text would.
_FOUND: Final = """
wanted AS MATERIALIZED (
    SELECT * FROM unnest(CAST(:refs AS text[]), CAST(:lower AS uuid[]), CAST(:upper AS uuid[]),
                         CAST(:ends AS bytea[])) AS w(ref, lower, upper, tail)
), second AS (
    SELECT DISTINCT lower, upper FROM wanted
), found AS MATERIALIZED (
    SELECT w.ref, near.id FROM second s CROSS JOIN LATERAL (
        SELECT {id} AS id FROM {table} WHERE {id} >= s.lower AND {id} < s.upper OFFSET 0
    ) AS near
    JOIN wanted w ON w.lower = s.lower AND w.upper = s.upper
     AND w.tail = substr(uuid_send(near.id), 13)
)
"""
_QRCODE: Final = """
(SELECT q.id FROM follow_events f JOIN qrcodes q ON q.scene = f.scene AND q.appid = f.appid
 WHERE f.id = r.callback_id) AS qrcode_id
"""

_REPLIES: Final = text(
    f"""
    WITH {_FOUND.format(id="id", table="replies")}
    SELECT found.ref, r.*, {_QRCODE} FROM found CROSS JOIN LATERAL (
        SELECT id, callback_id, appid, openid, rule_id,
               COALESCE(sent_at, created_at) AS sent_at
        FROM replies WHERE id = found.id
    ) AS r
    """  # noqa: S608 - constants of this module
)

_PASSIVE_REPLIES: Final = text(
    f"""
    WITH {_FOUND.format(id="passive_id", table="callbacks")}
    SELECT found.ref, r.*, {_QRCODE} FROM found CROSS JOIN LATERAL (
        SELECT passive_id AS id, id AS callback_id, appid, openid,
               COALESCE(passive_rule_id, rule_id) AS rule_id, received_at AS sent_at
        FROM callbacks WHERE passive_id = found.id
    ) AS r
    """  # noqa: S608 - constants of this module
)
