"""QR codes for the pages about them: one that works, one that waits and one that WeChat refuses."""

from datetime import timedelta
from uuid import UUID

from app.access.actor import Actor, ActorKind
from app.qrcodes import list_store, store
from app.qrcodes.list_csv import ListedCode
from app.qrcodes.list_store import NewList
from app.qrcodes.models import QrCodeDay, QrKind
from app.qrcodes.schemas import QrCodeIn
from tests.service import APPID, Service, card

ACTOR = Actor(ActorKind.CLI, "cli")


async def _code(service: Service, scene: str, **changes: object) -> UUID:
    code_in = QrCodeIn(name="<b>门店 42</b>", scene=scene)
    now = service.clock.now()
    async with service.app.state.database.sessions.begin() as session:
        code = await store.add(session, ACTOR, APPID, code_in, now)
        for name, value in changes.items():
            setattr(code, name, value)
        session.add(QrCodeDay(qrcode_id=code.id, day=now.date(), scans=7, new_follows=3))
        return code.id


async def a_list(service: Service) -> str:
    """Make a code that works, and a list that waits."""
    expires_at = service.clock.now() + timedelta(days=20)
    url = "http://weixin.qq.com/q/demo"
    await _code(service, "store_0042", url=url, expires_at=expires_at, scans=1234)
    async with service.app.state.database.sessions.begin() as session:
        codes = [ListedCode("x" * 100, "y" * 64), ListedCode("Store 43", None)]
        new = NewList(APPID, QrKind.PERMANENT, codes)
        added = await list_store.add(session, ACTOR, new, service.clock.now())
        return f"/qrcodes?list_id={added.id}&done=listed"


async def a_code(service: Service) -> str:
    """Make a code that works but is not renewed, and a rule that answers its scans."""
    now = service.clock.now()
    await service.add_rule(card(), trigger={"on": "scan", "scene_prefix": "store_"})
    code_id = await _code(
        service,
        "store_0042",
        url="http://weixin.qq.com/q/demo",
        expires_at=now + timedelta(days=3),
        errcode=48001,
        error="api unauthorized",
        rid="r-1",
        failed_at=now,
    )
    return f"/qrcodes/{code_id}?done=added"
