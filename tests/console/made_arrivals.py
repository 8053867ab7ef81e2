"""Arrivals for the page about them: of each basis, one that waits, and some that do not count."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import select
from uuid_utils.compat import uuid7

from app.arrivals.models import Arrival, ArrivalKind, Basis, Door, LeftOut
from tests.service import APPID, CARD_APPID, Service

_POSITIONS = select(Arrival.position)


async def a_list(service: Service) -> str:
    """Make arrivals through each door."""
    rule_id = await service.add_rule({"msgtype": "text", "via": "passive", "content": "hello"})
    await _add(service, basis=Basis.REF, door=Door.REPLY, rule_id=rule_id, scene=1074)
    await _add(service, basis=Basis.REF, door=Door.LINK, link_id=uuid7(), scene=1065)
    await _add(service, basis=Basis.REF, door=Door.NOTICE, send_id=uuid7(), scene=1107)
    await _add(service, basis=Basis.SCENE, door=Door.MENU, account=APPID, menu_number=3, scene=1035)
    await _add(service, basis=Basis.NONE, left_out=LeftOut.CRAWLER, scene=1129)
    await _add(service, basis=Basis.SCENE, left_out=LeftOut.REPEAT, scene=1058)
    await _add(
        service,
        kind=ArrivalKind.CONVERSION,
        basis=Basis.LAUNCH,
        left_out=LeftOut.FORWARDED,
        path=None,
        name="<b>purchase</b>",
        value=Decimal("99.5"),
        currency="CNY",
    )
    await _add(service)
    return "/arrivals"


async def _add(service: Service, **values: object) -> None:
    now = service.clock.now()
    async with service.app.state.database.sessions.begin() as session:
        known = list((await session.scalars(_POSITIONS)).all())
        session.add(
            Arrival(
                **{
                    "id": uuid7(),
                    "kind": ArrivalKind.LAUNCH,
                    "appid": CARD_APPID,
                    "report_key": uuid7().bytes,
                    "received_at": now,
                    "at": now - timedelta(minutes=len(known)),
                    "path": "pages/<shop>/" + "x" * 100,
                    "refs": [],
                    "position": len(known) + 1 if "basis" in values else None,
                }
                | values
            )
        )
