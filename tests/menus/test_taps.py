"""Taps are counted once each, for the button and the version that the follower saw."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app.callback.insert_sql import TAPS
from app.menus import store, taps
from app.menus.button_types import TYPES
from app.worker import Jobs
from tests.menus.makers import click, for_tag, menu, shop, view
from tests.menus.publishing import ADD, menus_of, published
from tests.service import APPID, Json, Service, WeChat, WorldClock, column, event

pytestmark = pytest.mark.asyncio


async def counted(service: Service, jobs: Jobs, **query: str) -> list[tuple[int, str, int]]:
    """Count the taps, and return version, position and number of each button."""
    await taps.sweep(jobs.database.sessions, service.clock)
    found = await service.read(f"menus/{APPID}/taps", **query)
    return [(one["version"], one["position"], one["taps"]) for one in found["items"]]


async def test_buttons_go_with_their_versions_so_that_a_tap_looks_at_a_bounded_number(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_VERSIONS", 2)
    for name in ("One", "Two", "Three", "Four"):
        await published(service, jobs, menu(click(name)))
    kept = await column(connection, "SELECT DISTINCT number FROM menu_buttons ORDER BY number")
    versions = (await service.read(f"menus/{APPID}/versions"))["items"]
    numbers = {one["number"] for one in versions if one["state"] == "published"}
    assert set(kept) == numbers
    assert len(kept) < 4


async def test_each_kind_of_tap_counts_for_its_button(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    scan = {"type": "scancode_push", "name": "扫", "key": "scan"}
    document = menu(click(), {"name": "商", "sub_button": [shop(), view()]}, scan)
    found = await published(service, jobs, document | {"conditional": [for_tag("1", view())]})
    page: Json = found["sent"]["button"][1]["sub_button"][0]
    (conditional,) = menus_of(wechat).conditional
    tapped = event(clock, "CLICK", EventKey="points")
    for push in (
        tapped,
        tapped,
        event(clock, "VIEW", EventKey="https://www.example.com/"),
        event(
            clock,
            "VIEW",
            EventKey="https://www.example.com/",
            MenuId=str(conditional.menuid),
            openid="oOTHER",
        ),
        event(clock, "view_miniprogram", EventKey=page["pagepath"]),
        event(clock, "scancode_push", EventKey="scan"),
        event(clock, "CLICK", EventKey="unknown"),
    ):
        assert (await service.push(push)).status_code == 200

    assert await counted(service, jobs) == [
        (0, "", 1),
        (1, "1", 1),
        (1, "2-1", 1),
        (1, "2-2", 1),
        (1, "3", 1),
        (1, "c1-1", 1),
    ]
    assert await counted(service, jobs) != []
    assert await column(connection, "SELECT count(*) FROM menu_taps") == [0]


async def test_a_tap_counts_for_the_version_that_was_live(
    service: Service, jobs: Jobs, clock: WorldClock
) -> None:
    first = await published(service, jobs, menu(click()))
    clock.advance(timedelta(minutes=1))
    await service.push(event(clock, "CLICK", EventKey="points"))
    clock.advance(timedelta(minutes=1))
    second = await published(service, jobs, menu(view(), click()))
    await service.push(event(clock, "CLICK", EventKey="points"))

    assert await counted(service, jobs) == [
        (first["number"], "1", 1),
        (second["number"], "2", 1),
    ]


async def test_a_tap_during_a_publication_counts_for_the_version_that_followers_see(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    await published(service, jobs, menu(click("Old", "old")))
    clock.advance(timedelta(minutes=1))
    # The default menu and the last conditional one are there; the day's calls are used up then.
    wechat.strike(ADD, latency_seconds=0, count=1)
    wechat.strike(ADD, errcode=45009, count=1)
    document = menu(click("New", "new"), conditional=[for_tag("1"), for_tag("2")])
    waiting = await published(service, jobs, document)
    for key in ("new", "vip1", "vip2"):
        await service.push(event(clock, "CLICK", EventKey=key))

    number = waiting["number"]
    assert waiting["state"] == "publishing"
    assert await counted(service, jobs) == [(0, "", 1), (number, "1", 1), (number, "c2-1", 1)]


async def test_a_tap_after_a_publication_that_failed_counts_for_the_version_before(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock
) -> None:
    before = await published(service, jobs, menu(click()))
    clock.advance(timedelta(minutes=1))
    wechat.strike(ADD, errcode=65316, count=1)
    failed = await published(service, jobs, menu(view(), click(), conditional=[for_tag("1")]))
    await service.push(event(clock, "CLICK", EventKey="points"))

    assert (failed["state"], failed["restored"]) == ("failed", True)
    assert await counted(service, jobs) == [(before["number"], "1", 1)]


async def test_two_sweeps_at_once_count_a_tap_once(
    service: Service, jobs: Jobs, clock: WorldClock
) -> None:
    await published(service, jobs, menu(click()))
    for number in range(5):
        push = event(clock, "CLICK", EventKey="points", openid=f"oONE{number}")
        await service.push(push)
    await asyncio.gather(*(taps.sweep(jobs.database.sessions, clock) for _ in range(3)))

    assert await counted(service, jobs) == [(1, "1", 5)]


async def test_the_days_have_a_bound(service: Service) -> None:
    for since in ("2020-01-01", "2026-12-31"):
        answer = await service.api(
            "GET", f"menus/{APPID}/taps", params={"from": since, "until": "2026-11-28"}
        )
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", "from"]


async def test_every_event_of_a_button_is_stored() -> None:
    assert {facts.event for facts in TYPES.values() if facts.event} == TAPS
