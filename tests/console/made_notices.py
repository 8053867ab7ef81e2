"""Templates, notices and sends for the pages about them."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert
from uuid_utils.compat import uuid7

from app.notices import template_store
from app.notices.models import (
    Notice,
    NoticeKind,
    NoticeSend,
    NoticeStatus,
    SendSource,
    SendState,
)
from app.wechat.api_responses import ListedTemplate
from tests.console import made_campaigns
from tests.service import APPID, Service

PARCEL = ListedTemplate(
    "TPL_parcel",
    "<b>取件通知</b>",
    "取件码:{{character_string1.DATA}}\n状态:{{enum_string2.DATA}}",
    "",
    2,
    {"enum_string2": ("待取", "已取")},
)
MESSAGE = ListedTemplate("TPL_message", "订单", "单号:{{character_string1.DATA}}", "")


async def templates(service: Service) -> None:
    """Make a template of each kind."""
    now = service.clock.now()
    async with service.app.state.database.sessions.begin() as session:
        await template_store.store(session, APPID, NoticeKind.SUBSCRIPTION, [PARCEL], now)
        await template_store.store(session, APPID, NoticeKind.TEMPLATE, [MESSAGE], now)


async def _send(service: Service, **changes: object) -> UUID:
    now = service.clock.now()
    send = {
        "id": uuid7(),
        "source": SendSource.AUDIENCE,
        "kind": NoticeKind.SUBSCRIPTION,
        "appid": APPID,
        "template_id": PARCEL.template_id,
        "is_one_time": True,
        "name": "<i>Moved</i> 搬迁",
        "content": {},
        "audience": {"following": True},
        "state": SendState.RUNNING,
        "rate": 20,
        "total": len(NoticeStatus),
        "max_total": 100,
        "created_at": now - timedelta(hours=1),
        "created_by": "olga",
        "queued_at": now,
    } | changes
    notices = [
        {
            "id": uuid7(),
            "send_id": send["id"],
            "appid": APPID,
            "openid": "erased:demo" if number == 1 else f"oDEMO{number:023}",
            "template_id": PARCEL.template_id,
            "kind": NoticeKind.SUBSCRIPTION,
            "status": status,
            "attempts": 1,
            "created_at": now - timedelta(hours=1),
            "next_at": now,
            "tried_at": now,
            "errcode": 43101 if status is NoticeStatus.FAILED else None,
            "result": "1 <b>refused</b>" if status is NoticeStatus.UNDELIVERED else None,
        }
        for number, status in enumerate(NoticeStatus)
    ]
    async with service.app.state.database.sessions.begin() as session:
        await session.execute(insert(NoticeSend).values(send))
        await session.execute(insert(Notice).values(notices))
    return UUID(str(send["id"]))


async def a_list(service: Service) -> str:
    """Make templates, figures, and a send that is over."""
    await templates(service)
    await _send(service, state=SendState.DONE, ended_at=service.clock.now())
    return "/notices?done=refreshed"


async def a_paused_send(service: Service) -> str:
    """Make a send that WeChat would refuse."""
    send_id = await _send(
        service, state=SendState.PAUSED, errcode=45168, errmsg="sensitive", rid="r-1"
    )
    return f"/notices/sends/{send_id}"


async def a_form(service: Service) -> str:
    """Make templates, and return the form for one."""
    await templates(service)
    await made_campaigns.a_list(service)
    return f"/notices/new?appid={APPID}&template={PARCEL.template_id}"
