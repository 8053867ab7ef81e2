"""Reads what is compared: for the API, the console and the doctor."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import SHANGHAI
from app.datacube import day_store, figure_store
from app.datacube.compare import Comparison, Ours, Pair, compare
from app.datacube.days import yesterday
from app.datacube.measures import MEASURES
from app.datacube.models import PushDay, VisitDay, WeChatFigures
from app.datacube.read import APIS, CALLS
from app.settings import Account
from app.stats import follower_store
from app.stats.compute import follower_figures
from app.stats.date_range import DateRange
from app.wechat.datacube import FigureCall

# WeChat may need some days for a day; of those that it has counted the newest are judged.
JUDGED_DAYS: Final = 3
LOOKED_BACK: Final = 7
ALL_CALLS: Final = tuple(FigureCall)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call of which days are not read. day: the newest of them; days: how many.

    errcode, error, rid: of the last attempt. try_at: when the next day is asked about; None: none
    is any more.
    """

    api: str
    day: date
    days: int
    errcode: int | None
    error: str | None
    rid: str | None
    try_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccountReport:
    """The figures of one account."""

    account: Account
    comparisons: Sequence[Comparison]
    waiting: Sequence[Waiting]


async def read(
    session: AsyncSession, accounts: Sequence[Account], since: date, until: date
) -> list[AccountReport]:
    """Return the figures of these days, both included, up to yesterday."""
    return [await _of_account(session, account, since, until) for account in accounts]


async def judged(
    session: AsyncSession, appids: Sequence[str], now: datetime
) -> Mapping[str, Mapping[str, Sequence[Pair]]]:
    """Return the newest days of the exact measures that both have counted: by AppID and measure."""
    until = yesterday(now)
    since = until - timedelta(days=LOOKED_BACK - 1)
    days = DateRange(since, until, SHANGHAI.key).days
    figures = await figure_store.read(session, appids, since, until)
    pushes = await day_store.read(session, PushDay, appids, since, until)
    exact = {measure.name for measure in MEASURES if measure.exact}
    return {
        appid: {
            one.measure.name: [pair for pair in one.compared if pair.settled][-JUDGED_DAYS:]
            for one in compare(
                ALL_CALLS,
                days,
                [row for row in figures if row.appid == appid],
                Ours([row for row in pushes if row.appid == appid]),
            )
            if one.measure.name in exact
        }
        for appid in appids
    }


async def _of_account(
    session: AsyncSession, account: Account, since: date, until: date
) -> AccountReport:
    date_range = DateRange(since, until, SHANGHAI.key)
    figures = await figure_store.read(session, [account.appid], since, until)
    pushes = await day_store.read(session, PushDay, [account.appid], since, until)
    visits = await day_store.read(session, VisitDay, [account.appid], since, until)
    followers: dict[date, int] = {}
    if account.kind == "oa":
        changes, present = await follower_store.read(session, [account.appid], date_range)
        counted = follower_figures(changes, present, date_range)
        followers = {day.day: day.start + day.net for day in counted.days}
    calls = CALLS[account.kind]
    return AccountReport(
        account,
        compare(calls, date_range.days, figures, Ours(pushes, visits, followers)),
        _waiting(calls, figures),
    )


def _waiting(calls: Sequence[FigureCall], figures: Sequence[WeChatFigures]) -> list[Waiting]:
    found = []
    for call in calls:
        unread = [one for one in figures if one.call == call.value and one.rows is None]
        if unread:
            newest = unread[-1]
            times = [one.try_at for one in unread if one.try_at is not None]
            found.append(
                Waiting(
                    APIS[call],
                    newest.day,
                    len(unread),
                    newest.errcode,
                    newest.error,
                    newest.rid,
                    min(times, default=None),
                )
            )
    return found
