"""What visitors of a short URL get, and how their opens are counted."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg
import pytest

from app import refs
from app.links import opens, slug_cache
from app.links.go_router import GoState
from app.links.models import OpenKind
from app.links.opens import Opens
from app.refs import link_mark
from app.tombstones.erasure_secret import erasure_secret
from app.worker import Jobs
from tests.links.makers import DESKTOP, PHONE, ROBOT, added, opened
from tests.service import Json, Service, WeChat, WorldClock, column, rows

pytestmark = pytest.mark.asyncio


@pytest.fixture
async def link(service: Service, jobs: Jobs) -> Json:
    """A link that is alive."""
    found = await added(service)
    await jobs.renew_link({"link_id": found["id"]})
    return found


def go_of(service: Service) -> GoState:
    state: GoState = service.app.state.go
    return state


async def figures(service: Service, link: Json) -> Json:
    await go_of(service).opens.store()
    found = (await service.read(f"links/{link['id']}/opens"))["items"]
    return found[0] if found else {}


@pytest.mark.usefixtures("link")
async def test_a_phone_goes_to_wechat_with_a_ref_and_with_its_own_data(
    service: Service, wechat: WeChat, link: Json
) -> None:
    before = len(wechat.state.ledger)
    answer = await opened(service, "summer26?cq=u%3D7f3a")

    assert answer.status_code == 302
    target = urlsplit(answer.headers["location"])
    assert f"https://{target.netloc}{target.path}" == wechat.state.links.made[0].link
    (cq,) = parse_qs(target.query)["cq"]
    ref, own = cq.split("&")
    assert ref.startswith(f"ref={link_mark(UUID(link['id']))}")
    assert len(ref) == len("ref=") + refs.LENGTH
    assert own == "u=7f3a"
    assert answer.headers["cache-control"] == "no-store"
    assert len(wechat.state.ledger) == before  # nobody asked WeChat


@pytest.mark.usefixtures("link")
async def test_data_that_does_not_fit_is_left_out(service: Service) -> None:
    for given in ("u%3D" + "x" * 250, "u%3D%E5%95%86", "%0d%0aSet-Cookie:%20a"):
        answer = await opened(service, f"summer26?cq={given}")
        (cq,) = parse_qs(urlsplit(answer.headers["location"]).query)["cq"]
        assert cq.startswith("ref=")
        assert "&" not in cq


@pytest.mark.usefixtures("link")
async def test_a_desktop_sees_a_qr_code_of_the_same_address(service: Service) -> None:
    answer = await opened(service, agent=DESKTOP)

    assert answer.status_code == 200
    assert "<svg" in answer.text
    assert "Summer &lt;sale&gt;" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    other = await opened(service, "summer26?cq=u%3D1", agent=DESKTOP)
    assert other.text.split("<svg")[1] != answer.text.split("<svg")[1]


async def test_a_robot_gets_the_name_alone(service: Service, link: Json) -> None:
    for agent, headers in ((ROBOT, {}), (PHONE, {"sec-purpose": "prefetch;prerender"}), ("", {})):
        answer = await opened(service, agent=agent, **headers)
        assert answer.status_code == 200
        assert "Summer" in answer.text
        assert "wxaurl" not in answer.text
    assert await figures(service, link) == {
        "day": (await figures(service, link))["day"],
        "mini_program": 0,
        "desktop": 0,
        "fallback": 0,
        "preview": 3,
    }


async def test_a_visitor_counts_once_a_minute_in_all_processes_and_is_not_stored(
    service: Service, link: Json, clock: WorldClock, connection: asyncpg.Connection
) -> None:
    go = go_of(service)
    other = Opens(service.app.state.database.sessions, clock, erasure_secret(service.settings))
    row = await go.links.find("summer26")
    assert row is not None
    for one in (go.opens, other):
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
            one.add(row.id, OpenKind.MINI_PROGRAM, address, PHONE)
    await asyncio.gather(go.opens.store(), other.store())

    assert (await figures(service, link))["mini_program"] == 2
    stored = await rows(connection, "SELECT * FROM link_visits")
    assert len(stored) == 2
    assert "192.0.2" not in str(stored)
    for address in ("198.51.100.7", "198.51.100.7", "198.51.100.8"):
        await opened(service, **{"x-forwarded-for": address})
    assert (await figures(service, link))["mini_program"] == 4
    clock.advance(timedelta(minutes=1))
    other.add(row.id, OpenKind.MINI_PROGRAM, "192.0.2.1", PHONE)
    await other.store()
    assert (await figures(service, link))["mini_program"] == 5

    clock.advance(timedelta(minutes=5))
    await opens.prune(service.app.state.database.sessions, clock.now())
    assert await column(connection, "SELECT count(*) FROM link_visits") == [0]


async def test_opens_are_kept_while_the_database_refuses(
    service: Service, link: Json, connection: asyncpg.Connection
) -> None:
    await opened(service)
    await connection.execute("ALTER TABLE link_visits RENAME TO elsewhere")
    await go_of(service).opens.store()
    await connection.execute("ALTER TABLE elsewhere RENAME TO link_visits")

    assert (await figures(service, link))["mini_program"] == 1


@pytest.mark.usefixtures("link")
async def test_what_was_known_stays_open_without_the_database(
    service: Service, connection: asyncpg.Connection
) -> None:
    await opened(service)
    now = 1000.0
    go_of(service).links._monotonic = lambda: now
    await connection.execute("ALTER TABLE links RENAME TO elsewhere")

    assert (await opened(service)).status_code == 302
    assert (await opened(service, "unknown")).status_code == 503
    await connection.execute("ALTER TABLE elsewhere RENAME TO links")
    now += 2
    assert (await opened(service, "unknown")).status_code == 404


async def test_an_ended_url_link_falls_back_and_without_a_fallback_says_so(
    service: Service, link: Json, clock: WorldClock
) -> None:
    bare = await added(service, slug="bare", fallback_url=None)
    assert (await opened(service, "bare")).status_code == 503
    assert (await opened(service, "bare")).headers["retry-after"] == "60"
    clock.advance(timedelta(days=30))

    answer = await opened(service)
    assert answer.headers["location"] == "https://shop.example.com/summer"
    assert (await figures(service, link))["fallback"] == 1
    assert (await figures(service, bare)) == {}


@pytest.mark.parametrize("slug", ["unknown", "abc", "x" * 33, "a%00bcd", "商城商城"])
async def test_a_slug_that_no_link_has_is_not_found(service: Service, slug: str) -> None:
    assert (await opened(service, slug)).status_code == 404


async def test_what_a_process_remembers_is_bounded(
    service: Service, link: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slug_cache, "MAX_KNOWN", 2)
    monkeypatch.setattr(opens, "MAX_WAITING", 1)
    for slug in ("unknown1", "unknown2", "summer26"):
        await opened(service, slug)
    await opened(service, agent=DESKTOP)

    assert list(go_of(service).links._known) == ["unknown2", "summer26"]
    assert (await figures(service, link)) | {"day": ""} == {
        "day": "",
        "mini_program": 1,
        "desktop": 0,
        "fallback": 0,
        "preview": 0,
    }
