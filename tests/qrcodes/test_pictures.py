"""The public picture of a code, which never ends and never asks WeChat."""

import io
from datetime import timedelta

import pytest
import segno

from app.links import slug_cache
from app.worker import Jobs
from tests.qrcodes.makers import added, made, renewed
from tests.service import Service, WeChat, WorldClock

pytestmark = pytest.mark.asyncio


async def test_a_picture_holds_what_wechat_has_made_and_follows_the_renewal(
    service: Service, jobs: Jobs, wechat: WeChat, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slug_cache, "MAX_AGE_SECONDS", -1.0)
    code = await made(service, jobs, slug="counter42")
    before = len(wechat.state.ledger)
    png = await service.http.get("/qr/counter42.png")
    svg = await service.http.get("/qr/counter42.svg")

    assert png.status_code == 200
    assert png.headers["content-type"] == "image/png"
    assert png.headers["cache-control"] == "public, max-age=3600"
    assert png.content == drawn(wechat.state.qrcodes.made[0].url)
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert len(wechat.state.ledger) == before
    assert (await service.http.head("/qr/counter42.png")).status_code == 200

    clock.advance(timedelta(days=23))
    await renewed(jobs, code)
    assert (await service.http.get("/qr/counter42.png")).content == drawn(
        wechat.state.qrcodes.made[1].url
    )


def drawn(url: str) -> bytes:
    content = io.BytesIO()
    segno.make_qr(url, error="m").save(content, kind="png", scale=10, border=4, light="#fff")
    return content.getvalue()


@pytest.mark.parametrize("slug", ["unknown1", "a", "a%2Fb", "a b c d", "x" * 33])
async def test_an_unknown_picture_is_a_page_that_says_so(service: Service, slug: str) -> None:
    answer = await service.http.get(f"/qr/{slug}.png")

    assert answer.status_code == 404


async def test_before_the_first_answer_and_after_the_end_a_picture_is_unavailable(
    service: Service, jobs: Jobs, clock: WorldClock
) -> None:
    code = await added(service, slug="counter42")
    waiting = await service.http.get("/qr/counter42.png")
    assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "60")
    await renewed(jobs, code)

    service.app.state.qrcodes.codes._known.clear()
    assert (await service.http.get("/qr/counter42.png")).status_code == 200
    clock.advance(timedelta(days=28, hours=23))
    assert (await service.http.get("/qr/counter42.png")).status_code == 200
    clock.advance(timedelta(hours=2))
    assert (await service.http.get("/qr/counter42.png")).status_code == 503
    assert (await service.read(f"qrcodes/{code['id']}"))["state"] == "ended"


async def test_without_the_database_a_known_picture_is_shown_and_another_is_unavailable(
    service: Service, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(service, jobs, slug="counter42")
    assert (await service.http.get("/qr/counter42.png")).status_code == 200
    monkeypatch.setattr(slug_cache, "MAX_AGE_SECONDS", -1.0)

    def fail() -> None:
        raise OSError("away")

    monkeypatch.setattr(service.app.state.qrcodes.codes, "_sessions", fail)
    assert (await service.http.get("/qr/counter42.png")).status_code == 200
    assert (await service.http.get("/qr/counter43.png")).status_code == 503
