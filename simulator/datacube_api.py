"""`POST /datacube/…`: WeChat's figures, with its spans and errors. Source: linkage 10."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from simulator.accounts import Account
from simulator.callers import CallerDep, JsonDep, JsonObject
from simulator.datacube import SHANGHAI, Rows, day_of
from simulator.errors import ApiError
from simulator.state import State, StateDep

SPANS = {"getusersummary": 7, "getusercumulate": 7, "getupstreammsg": 7, "getinterfacesummary": 30}
TREND = "getweanalysisappiddailyvisittrend"
DISTRIBUTION = "getweanalysisappidvisitdistribution"
FIRST_DAY = date(2014, 12, 1)
READY_AT = time(8)

router = APIRouter()


class DayFigures(BaseModel):
    """What a call answers for a day, or what was pushed. ready: whether there is an answer."""

    model_config = ConfigDict(extra="forbid")

    appid: str
    day: date
    call: str | None = None
    rows: list[dict[str, int]] | None = Field(
        default=None, description="with the members of linkage 10.2 and 10.3 but `ref_date`"
    )
    ready: bool = True


@router.post("/_sim/datacube")
async def set_figures(figures: DayFigures, state: StateDep) -> JsonObject:
    """Let WeChat count something else than it has pushed, or not be ready."""
    if figures.appid not in state.accounts:
        raise HTTPException(404, "unknown appid")
    if figures.call is not None and figures.rows is not None:
        state.datacube.say(figures.appid, figures.call, figures.day, figures.rows)
    state.datacube.hold_back(figures.appid, figures.day, ready=figures.ready)
    return figures.model_dump(mode="json")


@router.post("/datacube/{call}")
async def answer(call: str, body: JsonDep, account: CallerDep, state: StateDep) -> JsonObject:
    """Answer the figures of some days."""
    is_visits = call in {TREND, DISTRIBUTION}
    if call not in SPANS and not is_visits:
        raise HTTPException(404)
    if is_visits is not account.is_mini_program:
        raise ApiError(48001)
    written = "%Y%m%d" if is_visits else "%Y-%m-%d"
    first, last = (_day(body.get(name), written) for name in ("begin_date", "end_date"))
    if not FIRST_DAY <= first <= last < day_of(state.clock.now()):
        raise ApiError(61500)
    if (last - first).days >= SPANS.get(call, 1):
        raise ApiError(61501)
    days = [first + timedelta(number) for number in range((last - first).days + 1)]
    if any(not _is_ready(state, account, day) for day in days):
        raise ApiError(61504 if is_visits else 61503)
    if is_visits:
        return _visits(call, state.datacube.rows(account.appid, call, first, 0), first)
    return {"list": list(_rows(state, account, call, days))}


def _rows(state: State, account: Account, call: str, days: list[date]) -> Iterator[JsonObject]:
    followers = sum(one.following for one in state.followers[account.appid].values())
    for day in days:
        for row in state.datacube.rows(account.appid, call, day, followers):
            yield {"ref_date": day.isoformat(), **row}


def _visits(call: str, rows: Rows, day: date) -> JsonObject:
    written = day.strftime("%Y%m%d")
    if call == TREND:
        return {
            "list": [
                {"ref_date": written, **row, "stay_time_session": 12.5, "visit_depth": 1.75}
                for row in rows
            ]
        }
    stay: JsonObject = {"index": "access_staytime_info", "item_list": [{"key": 1, "value": 3}]}
    sources: JsonObject = {"index": "access_source_session_cnt", "item_list": rows}
    return {"ref_date": written, "list": [sources, stay]}


def _is_ready(state: State, account: Account, day: date) -> bool:
    ready_at = datetime.combine(day + timedelta(days=1), READY_AT, SHANGHAI).astimezone(UTC)
    return state.clock.now() >= ready_at and not state.datacube.is_held_back(account.appid, day)


def _day(value: object, written: str) -> date:
    try:
        return datetime.strptime(str(value), written).replace(tzinfo=UTC).date()
    except ValueError:
        raise ApiError(61500) from None
