"""Makes QR codes, and lets people scan them."""

import httpx

from app.worker import Jobs
from tests.service import ADMIN_TOKEN, APPID, OPENID, Json, Service, WorldClock, event

CREATE = "/cgi-bin/qrcode/create"


def body(**changes: object) -> Json:
    """Return the body of a code."""
    return {"name": "Store <42>", "appid": APPID, "scene": "store_0042"} | changes


async def added(service: Service, **changes: object) -> Json:
    """Add a code."""
    answer = await service.api("POST", "qrcodes", json=body(**changes))
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def listed(service: Service, content: str | bytes, **query: str) -> httpx.Response:
    """Send a list."""
    return await service.http.post(
        "/api/qrcodes/lists",
        headers={"authorization": f"Bearer {ADMIN_TOKEN}", "content-type": "text/csv"},
        params={"appid": APPID, **query},
        content=content,
    )


async def renewed(jobs: Jobs, code: Json) -> None:
    """Run the job of a code."""
    await jobs.renew_qrcode({"qrcode_id": code["id"]})


async def made(service: Service, jobs: Jobs, **changes: object) -> Json:
    """Add a code, and let WeChat make it."""
    code = await added(service, **changes)
    await renewed(jobs, code)
    return await service.read(f"qrcodes/{code['id']}")


def follow(clock: WorldClock, scene: str = "store_0042", openid: str = OPENID) -> Json:
    """Return the push of a follow by a code."""
    return event(clock, "subscribe", openid=openid, EventKey=f"qrscene_{scene}", Ticket="gQ1")


def scan(clock: WorldClock, scene: str = "store_0042", openid: str = OPENID) -> Json:
    """Return the push of a follower's scan."""
    return event(clock, "SCAN", openid=openid, EventKey=scene, Ticket="gQ1")


def unfollow(clock: WorldClock, openid: str = OPENID) -> Json:
    """Return the push of an unfollow."""
    return event(clock, "unsubscribe", openid=openid, EventKey="")
