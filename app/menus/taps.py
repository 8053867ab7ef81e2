"""Counts taps on buttons by version, place and day; each tap once.

The commit of a callback adds a row to `menu_taps`; the sweep counts and deletes the rows in one
transaction. A tap belongs to the latest version that had its button when it happened: phones may
show an earlier menu for five minutes. Of two menus of a version that share a key the default one
gets it, unless the event names the menu. Source: protocol 4.3.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import Clock
from app.db.engine import SessionFactory
from app.menus.button_types import TYPES, ButtonType
from app.menus.difference import flat_buttons
from app.menus.models import MenuButton, MenuTapCount, MenuVersion

MAX_COUNTED: Final = 10_000
MAX_BATCHES: Final = 20
KEPT: Final = timedelta(days=400)

COUNT: Final = text("""
WITH taken AS (
    DELETE FROM menu_taps WHERE callback_id IN (
        SELECT callback_id FROM menu_taps ORDER BY callback_id LIMIT :most FOR UPDATE SKIP LOCKED
    )
    RETURNING appid, event, event_key, menu_id, occurred_at
), placed AS (
    SELECT taken.appid, CAST(taken.occurred_at AT TIME ZONE 'Asia/Shanghai' AS date) AS day,
           COALESCE(found.number, 0) AS number, COALESCE(found.position, '') AS position
    FROM taken LEFT JOIN LATERAL (
        SELECT b.number, b.position FROM menu_buttons AS b
        WHERE b.appid = taken.appid AND b.event = taken.event AND b.event_key = taken.event_key
            AND b.live_from <= taken.occurred_at
        ORDER BY b.menu_id IS NOT DISTINCT FROM taken.menu_id DESC, b.number DESC,
                 b.menu_id NULLS FIRST, b.position
        LIMIT 1
    ) AS found ON true
), counted AS (
    INSERT INTO menu_tap_counts AS c (appid, day, number, position, count)
    SELECT appid, day, number, position, count(*) FROM placed
    GROUP BY appid, day, number, position ORDER BY appid, day, number, position
    ON CONFLICT (appid, day, number, position) DO UPDATE SET count = c.count + excluded.count
)
SELECT count(*) FROM taken
""")


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Count the taps that are not counted yet, and forget old figures."""
    for _ in range(MAX_BATCHES):
        async with sessions.begin() as session:
            found = await session.scalar(COUNT, {"most": MAX_COUNTED})
        if (found or 0) < MAX_COUNTED:
            break
    async with sessions.begin() as session:
        before = (clock.now() - KEPT).date()
        await session.execute(delete(MenuTapCount).where(MenuTapCount.day < before))


async def add_buttons(session: AsyncSession, version: MenuVersion) -> None:
    """Note the buttons that WeChat has by now of a version, so that taps on them are found."""
    rows = list(_buttons(version))
    if rows:
        added = insert(MenuButton).values(rows)
        await session.execute(
            added.on_conflict_do_update(
                index_elements=[MenuButton.appid, MenuButton.number, MenuButton.position],
                # Another one, if all menus had to be made again.
                set_={"menu_id": added.excluded.menu_id},
            )
        )


async def delete_buttons(session: AsyncSession, version: MenuVersion) -> None:
    """Forget the buttons of a version that WeChat has no more."""
    await session.execute(
        delete(MenuButton).where(
            MenuButton.appid == version.appid, MenuButton.number == version.number
        )
    )


async def taps(
    session: AsyncSession, appid: str, since: date, until: date
) -> Sequence[MenuTapCount]:
    """Return the counts of an account, by day; both days are included."""
    found = await session.scalars(
        select(MenuTapCount)
        .where(MenuTapCount.appid == appid, MenuTapCount.day.between(since, until))
        .order_by(MenuTapCount.day, MenuTapCount.number, MenuTapCount.position)
    )
    return found.all()


async def total(session: AsyncSession, appid: str, number: int, position: str) -> int:
    """Return how often a button of a version was tapped in all."""
    found = await session.scalar(
        select(func.sum(MenuTapCount.count)).where(
            MenuTapCount.appid == appid,
            MenuTapCount.number == number,
            MenuTapCount.position == position,
        )
    )
    return int(found or 0)


def _buttons(version: MenuVersion) -> Iterator[dict[str, str | int | datetime | None]]:
    missing = len(version.sent["conditional"]) - len(version.menuids)
    for position, button in flat_buttons(version.sent):
        facts = TYPES[ButtonType(button["type"])] if "type" in button else None
        if facts is None or facts.event is None or facts.event_key is None:
            continue
        menu_id = None
        if position.startswith("c"):
            menu = int(position.partition("-")[0][1:]) - 1
            if menu < missing:
                continue  # they are added from the last to the first
            menu_id = version.menuids[menu - missing]
        yield {
            "appid": version.appid,
            "number": version.number,
            "position": position,
            "event": facts.event,
            "event_key": button[facts.event_key],
            "menu_id": menu_id,
            "live_from": version.created_at,
            "mini_program": button.get("appid"),
        }
