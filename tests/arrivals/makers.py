"""Reports as the backend of a mini-program makes them."""

from datetime import timedelta
from itertools import count
from uuid import UUID

import asyncpg

from app import refs
from tests.service import CARD_APPID, OPENID, Json, Service, column, message, text_reply

MP_OPENID = "oMINIPROGRAM1"
UNIONID = "oUNION1"
_numbers = count(1)


def launch(service: Service, **changes: object) -> Json:
    """Return a launch of now."""
    return {
        "id": f"launch-{next(_numbers)}",
        "kind": "launch",
        "appid": CARD_APPID,
        "openid": MP_OPENID,
        "at": service.clock.now().isoformat(),
        "scene": 1001,
        "path": "pages/index",
    } | changes


def conversion(service: Service, **changes: object) -> Json:
    """Return a conversion of now."""
    return {
        "id": f"order-{next(_numbers)}",
        "kind": "conversion",
        "appid": CARD_APPID,
        "openid": MP_OPENID,
        "at": service.clock.now().isoformat(),
        "name": "purchase",
        "value": 12.5,
        "currency": "CNY",
    } | changes


async def report(service: Service, *reports: Json) -> Json:
    """Report, and return the answer."""
    answer = await service.api("POST", "arrivals", json={"reports": list(reports)})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def listed(service: Service, **query: str | int) -> list[Json]:
    """Return the list, the oldest first."""
    found = await service.read("arrivals", **query)
    items: list[Json] = found["items"]
    return items[::-1]


async def people(service: Service, *identities: tuple[str, str, str]) -> None:
    """Let the service learn UnionIDs of OpenIDs of the mini-program, by a login report."""
    body = [
        {"appid": appid, "openid": openid, "unionid": unionid}
        for appid, openid, unionid in identities
    ]
    answer = await service.api("PUT", "identities", json={"identities": body})
    assert answer.status_code == 200, answer.text


async def replied(
    service: Service, connection: asyncpg.Connection, openid: str = OPENID, via: str = "passive"
) -> tuple[UUID, str]:
    """Let a follower write and be answered; return the id of the reply and its ref."""
    if not await column(connection, "SELECT id FROM rules"):
        await service.add_rule(text_reply("hello {ref}", via=via))
    await service.push(message(service.clock, openid=openid))
    service.clock.advance(timedelta(seconds=3))
    table, name = ("callbacks", "passive_id") if via == "passive" else ("replies", "id")
    query = f"SELECT {name} FROM {table} WHERE openid = $1 ORDER BY {name} DESC LIMIT 1"  # noqa: S608
    (found,) = await column(connection, query, openid)
    return found, refs.of_reply(found)
