"""Filters of the lists, alone and together, against a plain reading of the whole list."""

from collections.abc import Callable
from datetime import datetime, timedelta

import asyncpg
import pytest

from tests.service import APPID, Json, Service, event

OTHER_APPID = "wx00000000000000ee"
PATHS = ("follow-events", "subscription-events", "followers")
Fits = Callable[[Json], bool]
TIMES = {"follow-events": "occurred_at", "subscription-events": "occurred_at"}


async def some_days(service: Service, connection: asyncpg.Connection) -> list[str]:
    """Twelve people over twelve hours, a third of them at another account; returns the hours."""
    hours = []
    for number in range(12):
        openid = f"oPERSON{number}"
        scene = {"EventKey": f"qrscene_{number % 3}"} if number % 2 else {}
        await service.push(event(service.clock, "subscribe", openid=openid, **scene))
        await service.push(event(service.clock, "SCAN", openid=openid, EventKey=str(number % 3)))
        answers = [
            {"TemplateId": name, "SubscribeStatusString": "accept", "PopupScene": str(number % 3)}
            for name in ("A", "B")
        ]
        await service.push(
            event(service.clock, "subscribe_msg_popup_event", openid=openid, List=answers)
        )
        if number % 4 == 0:
            service.clock.advance(timedelta(seconds=1))
            await service.push(event(service.clock, "unsubscribe", openid=openid))
        hours.append(service.clock.now().isoformat())
        service.clock.advance(timedelta(hours=1))
    for statement in MOVE_SOME:
        await connection.execute(statement, OTHER_APPID)
    return hours


MOVE_SOME = (
    "UPDATE follow_events SET appid = $1 WHERE openid LIKE '%3' OR openid LIKE '%4'",
    "UPDATE subscription_events SET appid = $1 WHERE openid LIKE '%3' OR openid LIKE '%4'",
    "UPDATE followers SET appid = $1 WHERE openid LIKE '%3' OR openid LIKE '%4'",
)


def both(one: Fits, other: Fits) -> Fits:
    return lambda row: one(row) and other(row)


async def every(service: Service, path: str, **query: str | int) -> list[Json]:
    found: list[Json] = []
    while True:
        page = await service.read(path, **query)
        found += page["items"]
        if page["next"] is None:
            return found
        query["after"] = page["next"]


def between(path: str, start: str, until: str) -> Fits:
    name = TIMES.get(path, "followed_at")

    def within(one: Json) -> bool:
        at = datetime.fromisoformat(one[name])
        return datetime.fromisoformat(start) <= at < datetime.fromisoformat(until)

    return within


@pytest.mark.parametrize("limit", [2, 500])
@pytest.mark.parametrize("path", PATHS)
async def test_filters_choose_what_a_plain_reading_would(
    service: Service, connection: asyncpg.Connection, path: str, limit: int
) -> None:
    hours = await some_days(service, connection)
    whole = await every(service, path)
    kind, value = {
        "follow-events": ("action", "scan"),
        "subscription-events": ("action", "popup"),
        "followers": ("following", True),
    }[path]
    kind_parameter = "following" if path == "followers" else "kind"
    scene = "popup_scene" if path == "subscription-events" else "scene"
    choices: list[tuple[Json, Fits]] = [
        ({"appid": OTHER_APPID}, lambda one: one["appid"] == OTHER_APPID),
        ({kind_parameter: value}, lambda one: one[kind] == value),
        ({"scene": "1"}, lambda one: one[scene] == "1"),
        ({"from": hours[3], "until": hours[9]}, between(path, hours[3], hours[9])),
        ({"openid": "oPERSON3"}, lambda one: one["openid"] == "oPERSON3"),
    ]
    choices += [
        (one | other, both(first, second))
        for place, (one, first) in enumerate(choices)
        for other, second in choices[place + 1 :]
    ]

    for query, fits in choices:
        found = await every(service, path, limit=limit, **query)
        in_order = [one for one in whole if fits(one)]
        if "from" in query:
            in_order.sort(key=lambda one: one[TIMES.get(path, "followed_at")])
        assert found == in_order, query
    assert len(whole) >= 12


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("query", "field", "fix"),
    [
        ({"after": "x"}, "after", "`next` of the page before"),
        ({"after": "t-1-1-1"}, "after", "`from` and `until`"),
        ({"after": "a-1", "from": "2026-11-24T00:00:00Z"}, "after", "`from` and `until`"),
        ({"after": "t-1-999999999999999999-1"}, "after", "`next` of the page before"),
        ({"from": "2026-11-24T00:00:00"}, "from", "timezone"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "until", "from 1970 to 9998"),
        (
            {"from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"},
            "until",
            "is before `from`: pass a later time",
        ),
        ({"limit": 501}, "limit", "must be 500 or less"),
        ({"open_id": "oX"}, "open_id", "check its spelling"),
    ],
    ids=str,
)
async def test_a_bad_query_is_refused_with_the_way_to_correct_it(
    service: Service, path: str, query: Json, field: str, fix: str
) -> None:
    answer = await service.api("GET", path, params=query)

    assert answer.status_code == 422
    assert field in answer.text
    assert fix in answer.text


@pytest.mark.parametrize("path", PATHS)
async def test_an_export_names_a_parameter_that_it_does_not_know(
    service: Service, path: str
) -> None:
    query = {"format": "csv", "open_id": "oX"}

    answer = await service.api("GET", f"{path}/export", params=query)

    assert (answer.status_code, "open_id" in answer.text) == (422, True)


async def test_a_list_read_to_its_end_tells_where_to_ask_for_what_is_new(service: Service) -> None:
    await service.push(event(service.clock, "subscribe"))
    first = await service.read("follow-events")
    nothing = await service.read("follow-events", after=first["later"])
    service.clock.advance(timedelta(seconds=1))
    await service.push(event(service.clock, "unsubscribe"))

    news = await service.read("follow-events", after=nothing["later"])

    assert (first["next"], nothing["items"]) == (None, [])
    assert [one["action"] for one in news["items"]] == ["unfollow"]


async def test_a_follow_after_an_unfollow_is_listed_as_a_refollow(service: Service) -> None:
    for name in ("subscribe", "unsubscribe", "subscribe"):
        await service.push(event(service.clock, name))
        service.clock.advance(timedelta(seconds=1))

    found = (await service.read("follow-events", appid=APPID))["items"]

    assert [(one["action"], one["refollow"]) for one in found] == [
        ("follow", False),
        ("unfollow", False),
        ("follow", True),
    ]
