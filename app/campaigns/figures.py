"""The figures of one campaign, with what a follower and a redemption cost."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns import count_invited, store
from app.campaigns.models import Campaign, CampaignDoorKind
from app.campaigns.opens import Opens, opens_by_door_and_day
from app.campaigns.schemas import Counted, DayFigures, DoorFigures, DoorIn, FiguresOut
from app.clock import SHANGHAI
from app.codes import figures
from app.codes.figures import DoorDay

_CENT: Final = Decimal("0.01")


class Follows(NamedTuple):
    """Follows by the QR codes of a campaign: on the days that were asked for, and on all of its."""

    asked: int
    whole: int


async def figures_of(
    session: AsyncSession, campaign: Campaign, since: date, until: date
) -> FiguresOut:
    """Return the figures of a campaign; both days are included."""
    doors = (await store.doors_of(session, [campaign.id])).get(campaign.id, [])
    codes = await figures.by_door_and_day(session, campaign.id, since, until)
    opens = await opens_by_door_and_day(session, campaign, doors, since, until)
    invited, invited_left = await count_invited.figures(session, campaign.id)
    follows = await _follows(session, campaign, doors, since, until)
    days = day_figures(codes, opens)
    return FiguresOut(
        total=_sum(days),
        doors=door_figures(doors, days),
        days=days,
        follows=follows.asked,
        invited=invited,
        invited_left=invited_left,
        # The cost is that of the whole campaign, so the days that were asked for do not matter.
        cost_per_follower=cost_of_each(campaign.cost, follows.whole),
        cost_per_redemption=cost_of_each(
            campaign.cost, await figures.redeemed(session, campaign.id)
        ),
    )


def cost_of_each(cost: Decimal | None, number: int) -> Decimal | None:
    """Return the cost of one of `number`; None if there is none, or no cost."""
    if cost is None or not number:
        return None
    return (cost / number).quantize(_CENT, ROUND_HALF_UP)


def day_figures(codes: Iterable[DoorDay], opens: Opens) -> list[DayFigures]:
    """Return the figures of each door and day, with the opens."""
    found: dict[tuple[date, DoorIn | None], DayFigures] = {}
    for row in codes:
        door = (
            None
            if row.door is None
            else DoorIn(kind=CampaignDoorKind(row.door.kind), id=row.door.id)
        )
        found[row.day, door] = _day(row.day, door, row.given, row.redeemed, opens)
    for day, door in opens:
        found.setdefault((day, door), _day(day, door, 0, 0, opens))
    return sorted(found.values(), key=lambda each: (each.day, each.kind or "", each.id or ""))


def door_figures(doors: Iterable[DoorIn], days: Sequence[DayFigures]) -> list[DoorFigures]:
    """Return the sums of each door, those of the campaign first, then former ones."""
    present: list[tuple[CampaignDoorKind | None, str | None]] = [
        (door.kind, door.id) for door in doors
    ]
    former = {(each.kind, each.id) for each in days} - set(present)
    ordered = [*present, *sorted(former, key=lambda door: (door[0] or "", door[1] or ""))]
    return [
        DoorFigures(
            kind=kind,
            id=door_id,
            **dict(_sum([each for each in days if (each.kind, each.id) == (kind, door_id)])),
        )
        for kind, door_id in ordered
    ]


def _sum(days: Sequence[DayFigures]) -> Counted:
    return Counted(
        handed_out=sum(each.handed_out for each in days),
        opened=sum(each.opened for each in days),
        redeemed=sum(each.redeemed for each in days),
    )


def _day(day: date, door: DoorIn | None, given: int, redeemed: int, opens: Opens) -> DayFigures:
    return DayFigures(
        day=day,
        kind=None if door is None else door.kind,
        id=None if door is None else door.id,
        handed_out=given,
        opened=0 if door is None else opens.get((day, door), 0),
        redeemed=redeemed,
    )


async def _follows(
    session: AsyncSession, campaign: Campaign, doors: Sequence[DoorIn], since: date, until: date
) -> Follows:
    ids = [door.id for door in doors if door.kind is CampaignDoorKind.QRCODE]
    if not ids:
        return Follows(0, 0)
    # The moment at which it ends is no part of it.
    last = campaign.ends_at - timedelta(microseconds=1)
    bound = {
        "ids": ids,
        "since": since,
        "until": until,
        "first": campaign.starts_at.astimezone(SHANGHAI).date(),
        "last": last.astimezone(SHANGHAI).date(),
    }
    asked, whole = (await session.execute(_FOLLOWS, bound)).one()
    return Follows(int(asked), int(whole))


# A code may have led people before its campaign, and may do so for another one afterwards.
_FOLLOWS: Final = text("""
SELECT COALESCE(sum(new_follows + refollows) FILTER (WHERE day BETWEEN :since AND :until), 0),
       COALESCE(sum(new_follows + refollows), 0)
FROM qrcode_days
WHERE qrcode_id = ANY(CAST(CAST(:ids AS text[]) AS uuid[])) AND day BETWEEN :first AND :last
""")
