"""Makes days: the pushes of one, the morning after it, and what WeChat says of it."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import text

from app.clock import SHANGHAI
from app.datacube.days import day_of
from simulator.datacube import Rows
from tests.links.makers import MINI_PROGRAM, accounts_file
from tests.service import APPID, Json, Service, WeChat, WorldClock, event, message

__all__ = ["MINI_PROGRAM", "accounts_file"]

SUMMARY = "/datacube/getusersummary"
CUMULATE = "/datacube/getusercumulate"
MESSAGES = "/datacube/getupstreammsg"
INTERFACE = "/datacube/getinterfacesummary"
TREND = "/datacube/getweanalysisappiddailyvisittrend"
DISTRIBUTION = "/datacube/getweanalysisappidvisitdistribution"
OA_CALLS = (SUMMARY, CUMULATE, MESSAGES, INTERFACE)


def morning_after(clock: WorldClock, days: int = 1, hour: int = 9) -> date:
    """Move on to nine o'clock of a later day in Shanghai; return the day of now."""
    today = day_of(clock.now())
    then = datetime.combine(today + timedelta(days=days), time(hour), SHANGHAI)
    clock.advance(then - clock.now())
    return today


async def pushed_day(service: Service, *, follows: int = 3, texts: int = 4) -> None:
    """Receive follows, one of them by a QR code and one that ends, and texts of one person."""
    for number in range(follows):
        key = {"EventKey": "qrscene_door", "Ticket": "T"} if number == 0 else {"EventKey": ""}
        await service.push(event(service.clock, "subscribe", openid=f"oNEW{number}", **key))
    await service.push(event(service.clock, "unsubscribe", openid="oNEW1"))
    for number in range(texts):
        await service.push(message(service.clock, f"word {number}"))


def says(wechat: WeChat, call: str, day: date, rows: Rows, appid: str = APPID) -> None:
    """Let WeChat answer these rows for a day."""
    wechat.state.datacube.say(appid, call.removeprefix("/datacube/"), day, rows)


def says_of_pushed_day(wechat: WeChat, day: date) -> None:
    """Let WeChat count what `pushed_day` receives."""
    says(
        wechat,
        SUMMARY,
        day,
        [
            {"user_source": 1, "new_user": 2, "cancel_user": 1},
            {"user_source": 30, "new_user": 1, "cancel_user": 0},
        ],
    )
    says(wechat, MESSAGES, day, [{"msg_type": 1, "msg_user": 1, "msg_count": 4}])
    says(
        wechat,
        INTERFACE,
        day,
        [{"callback_count": 8, "fail_count": 0, "total_time_cost": 160, "max_time_cost": 40}],
    )


def figure(account: Json, name: str) -> Json:
    """Return one figure of an account of `/api/stats/compare`."""
    found: Json
    (found,) = [one for one in account["figures"] if one["name"] == name]
    return found


async def compared(service: Service, appid: str = APPID, **query: str | int) -> Json:
    """Read the figures of one account."""
    (account,) = (await service.read("stats/compare", appid=appid, **query))["accounts"]
    found: Json = account
    return found


INSERT_PUSHES = text("""
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, event, occurred_at, received_at,
                       payload)
SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM at) * 1000 AS bigint)), 12, '0')
            || substr(md5(at::text || appid || n), 13) AS uuid),
       appid, int4send(0) || decode(md5(at::text || appid || n), 'hex'), 'oDEMO', 'text',
       NULL, at, at, '{}'
FROM (
    SELECT CAST(:appid AS text) AS appid, at, row_number() OVER () AS n
    FROM unnest(CAST(:times AS timestamptz[])) AS t(at)
) AS pushes
""")


async def insert_texts(service: Service, times: Sequence[datetime], appid: str = APPID) -> None:
    """Add the rows of texts that came at these times."""
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(INSERT_PUSHES, {"appid": appid, "times": list(times)})
