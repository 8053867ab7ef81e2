"""How often each button was tapped in the last days, by the version that had it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import SHANGHAI
from app.console.chart_csv import chart_csv
from app.console.chart_marks import marks_of
from app.console.charts import Series, line_chart
from app.console.form_values import Blank
from app.console.language import language_of
from app.console.menus.place import Place, PlaceQuery
from app.console.menus.router import router
from app.console.messages import N_, Messages
from app.console.render import render
from app.console.signed_in import Viewer
from app.db.session import SessionDep
from app.menus import store, taps
from app.menus.difference import flat_buttons
from app.menus.models import MenuTapCount
from app.stats.date_range import DateRange

DAYS: Final = 30
# Of the figures on the page; the API has them all.
MAX_VERSIONS_SHOWN: Final = 20


class TapsQuery(PlaceQuery):
    """Which version; without one, all."""

    version: Blank[Annotated[int, Field(ge=0)]] = None


@dataclass(frozen=True, slots=True)
class TappedButton:
    """A button of a version. number 0: taps on buttons that no version of ours has."""

    number: int
    position: str
    name: str
    count: int


@router.get("/taps")
async def show_taps(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    query: Annotated[TapsQuery, Query()],
) -> Response:
    """Show the taps of an account."""
    place = Place.of(request, query)
    found = await _taps(session, place.appid, request.app.state.clock.now())
    numbers = sorted({one.number for one in found}, reverse=True)[:MAX_VERSIONS_SHOWN]
    wanted = [one for one in found if query.version in (None, one.number)]
    by_day = _by_day(request.app.state.clock.now(), wanted)
    translate = Messages(language_of(request)).text
    days = list(by_day)
    marks = await marks_of(
        request, session, [place.appid], DateRange(days[0], days[-1], SHANGHAI.key)
    )
    return render(
        request,
        "menus/taps.html",
        place=place,
        versions=numbers,
        version=query.version,
        buttons=await _buttons(session, place.appid, wanted, numbers),
        total=sum(by_day.values()),
        chart=line_chart(
            [day.isoformat() for day in days],
            [Series(translate(N_("Taps")), list(by_day.values()))],
            marks,
        ),
        export=_export_path(place.appid, query.version),
    )


@router.get("/taps/export.csv")
async def export_taps(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    query: Annotated[TapsQuery, Query()],
) -> Response:
    """Send the taps of the same days as a file."""
    place, now = Place.of(request, query), request.app.state.clock.now()
    found = await _taps(session, place.appid, now)
    wanted = [one for one in found if query.version in (None, one.number)]
    return await chart_csv("menu-taps", ("day", "taps"), _by_day(now, wanted).items())


def _export_path(appid: str, version: int | None) -> str:
    which = {} if version is None else {"version": version}
    return f"/menus/taps/export.csv?{urlencode({'appid': appid, **which})}"


def _days(now: datetime) -> list[date]:
    until = now.astimezone(SHANGHAI).date()
    return [until - timedelta(days=number) for number in reversed(range(DAYS))]


async def _taps(session: AsyncSession, appid: str, now: datetime) -> Sequence[MenuTapCount]:
    days = _days(now)
    return await taps.taps(session, appid, days[0], days[-1])


def _by_day(now: datetime, wanted: Sequence[MenuTapCount]) -> dict[date, int]:
    by_day = dict.fromkeys(_days(now), 0)
    for one in wanted:
        by_day[one.day] += one.count
    return by_day


async def _buttons(
    session: AsyncSession, appid: str, found: Sequence[MenuTapCount], numbers: Sequence[int]
) -> list[TappedButton]:
    """Return the buttons with their taps, those of the newest version first."""
    names = {
        number: _names(version.sent)
        for number in numbers
        if number and (version := await store.version_of(session, appid, number)) is not None
    }
    counts: dict[tuple[int, str], int] = {}
    for one in found:
        key = one.number, one.position
        counts[key] = counts.get(key, 0) + one.count
    ordered = sorted(counts.items(), key=lambda item: (-item[0][0], -item[1], item[0][1]))
    return [
        TappedButton(number, position, names.get(number, {}).get(position, ""), count)
        for (number, position), count in ordered
        if number in numbers
    ]


def _names(sent: dict[str, Any]) -> Mapping[str, str]:
    return {position: str(button.get("name", "")) for position, button in flat_buttons(sent)}
