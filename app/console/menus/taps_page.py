"""How often each button was tapped in the last days, by the version that had it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Query, Request, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import SHANGHAI
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
    until = request.app.state.clock.now().astimezone(SHANGHAI).date()
    days = [until - timedelta(days=number) for number in reversed(range(DAYS))]
    found = await taps.taps(session, place.appid, days[0], until)
    numbers = sorted({one.number for one in found}, reverse=True)[:MAX_VERSIONS_SHOWN]
    wanted = [one for one in found if query.version in (None, one.number)]
    by_day = dict.fromkeys(days, 0)
    for one in wanted:
        by_day[one.day] += one.count
    translate = Messages(language_of(request)).text
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
        ),
    )


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
