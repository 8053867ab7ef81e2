"""Templates, consents, and notices that are sent."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import httpx
import orjson

from app.notices.list_templates import TemplateLister
from app.replies.errors import TryLater
from app.secret_box import secret_box
from app.wechat.api import WeChatApi
from app.wechat_client.tokens import AccessTokens
from app.worker import Jobs
from simulator.notices import LONG_TERM, Template
from tests.httpx_client import HttpxClient
from tests.service import (
    ADMIN_TOKEN,
    APPID,
    CARD_APPID,
    OPENID,
    Json,
    Service,
    WeChat,
    WorldClock,
    event,
    message,
    rows,
)

PARCEL = "TPL_parcel"
NEWS = "TPL_news"
MESSAGE = "TPL_message"
CONTENT = "取件码:{{character_string1.DATA}}\n提示：{{thing3.DATA}}\n时间:{{time5.DATA}}"
TEMPLATES = (
    Template(template_id=PARCEL, title="取件通知", content=CONTENT, example="取件码:K-1"),
    Template(
        template_id=NEWS,
        title="状态通知",
        content="状态:{{enum_string2.DATA}}",
        type=LONG_TERM,
        choices={"enum_string2": ("待取", "已取")},
    ),
    Template(
        template_id=MESSAGE,
        title="订单",
        content="{{first.DATA}}\n单号:{{character_string1.DATA}}\n{{remark.DATA}}",
        type=None,
    ),
)
DATA: Json = {"character_string1": "K-0088", "thing3": "请在今天取件", "time5": "2026-11-28 18:00"}
BIZSEND = "/cgi-bin/message/subscribe/bizsend"
TEMPLATE_SEND = "/cgi-bin/message/template/send"


def know_templates(service: Service, wechat: WeChat) -> None:
    """Let the service's calls for templates reach WeChat."""
    settings, database = service.settings, service.app.state.database
    api = WeChatApi("http://wechat", settings.api_timeout, HttpxClient(wechat.client))
    tokens = AccessTokens(database, api, settings.accounts, service.clock, secret_box(settings))
    lister = TemplateLister(database.sessions, api, tokens, service.clock)
    service.app.state.template_lister = lister


async def know_recipients(service: Service, wechat: WeChat) -> None:
    """Let the service know the templates and the person of the examples."""
    wechat.state.notices.templates[APPID] = {one.template_id: one for one in TEMPLATES}
    know_templates(service, wechat)
    answer = await service.api("POST", "templates/refresh", json={"appid": APPID})
    assert answer.status_code == 200, answer.text
    await known(service, OPENID)


async def known(service: Service, *openids: str) -> None:
    """Let people write, so that the service knows them."""
    for openid in openids:
        answer = await service.push(message(service.clock, "hello", openid=openid))
        assert answer.status_code == 200


async def decided(
    service: Service,
    wechat: WeChat,
    status: str = "accept",
    *,
    openid: str = OPENID,
    template_id: str = PARCEL,
    times: int = 1,
) -> None:
    """Let a person answer the question for consent."""
    for number in range(times):
        wechat.state.notices.decide(APPID, openid, template_id, status)
        item = {
            "TemplateId": template_id,
            "SubscribeStatusString": status,
            "PopupScene": str(number),
        }
        push = event(
            service.clock,
            "subscribe_msg_popup_event",
            openid=openid,
            SubscribeMsgPopupEvent={"List": item},
        )
        assert (await service.push(push)).status_code == 200


async def reported(
    service: Service,
    msgid: str | int,
    *,
    openid: str = OPENID,
    template_id: str = PARCEL,
    code: str = "0",
) -> None:
    """Let WeChat report the delivery of a subscription notice."""
    item = {
        "TemplateId": template_id,
        "MsgID": str(msgid),
        "ErrorCode": code,
        "ErrorStatus": "success" if code == "0" else "user refuse to accept the msg",
    }
    push = event(
        service.clock,
        "subscribe_msg_sent_event",
        openid=openid,
        SubscribeMsgSentEvent={"List": item},
    )
    assert (await service.push(push)).status_code == 200


def body(*openids: str, **changes: object) -> Json:
    """Return the body of a request for notices."""
    recipients = [{"openid": openid} for openid in openids or (OPENID,)]
    wanted: Json = {
        "appid": APPID,
        "template_id": PARCEL,
        "data": DATA,
        "miniprogram": {
            "appid": CARD_APPID,
            "pagepath": "pages/order?ref={ref}",
            "utm": {"source": "notice"},
        },
        "recipients": recipients,
    }
    return wanted | changes


async def queued(
    service: Service, *openids: str, key: str | None = None, **changes: object
) -> Json:
    """Queue notices, and return what `/api` answers."""
    answer = await post(service, body(*openids, **changes), key)
    assert answer.status_code == 202, answer.text
    found: Json = answer.json()
    return found


async def post(service: Service, wanted: Json, key: str | None = None) -> httpx.Response:
    """Ask for notices."""
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    if key is not None:
        headers["idempotency-key"] = key
    return await service.http.post("/api/notices", headers=headers, json=wanted)


async def run(jobs: Jobs, send_id: str) -> bool:
    """Run the job of a send once; return whether it wants to run again."""
    try:
        await jobs.send_notices({"send_id": send_id})
    except TryLater:
        return True
    return False


async def settle(jobs: Jobs, connection: asyncpg.Connection) -> None:
    """Run the jobs that join reports, as a worker would."""
    waiting = await connection.fetch(
        "DELETE FROM pgqueuer WHERE entrypoint = 'notices.settle' RETURNING payload"
    )
    for (payload,) in waiting:
        await jobs.settle_notices(orjson.loads(payload))


async def statuses(connection: asyncpg.Connection) -> list[str]:
    """Return the status of every notice, the oldest first."""
    return [one["status"] for one in await rows(connection, "SELECT * FROM notices ORDER BY id")]


async def consent(connection: asyncpg.Connection, openid: str = OPENID) -> tuple[int, int]:
    """Return how many consents of a person are reserved, and how many are written off."""
    (row,) = await connection.fetch(
        "SELECT reserved, written_off FROM notice_consents WHERE openid = $1", openid
    )
    return row["reserved"], row["written_off"]


def bodies_of(wechat: WeChat) -> Sequence[Json]:
    """Return the body of each notice that WeChat has taken."""
    return [one.body for one in wechat.state.notices.sent]


def ids_of(found: Json) -> list[UUID]:
    """Return the ids of queued notices."""
    return [UUID(one["id"]) for one in found["notices"]]


async def add_people(
    connection: asyncpg.Connection,
    wechat: WeChat,
    count: int,
    *,
    template_id: str | None = PARCEL,
    following: bool = True,
    prefix: str = "oP",
) -> list[str]:
    """Add people who have consented once, as their pushes would have; return their OpenIDs."""
    openids = [f"{prefix}{number:04}" for number in range(count)]
    now = wechat.state.clock.now()
    await connection.execute(_PEOPLE, APPID, openids, now)
    await connection.execute(_FOLLOWERS, APPID, openids, now, following)
    if template_id is not None:
        await connection.execute(_CONSENTS, APPID, openids, now, template_id)
    for openid in openids:
        wechat.state.meet(APPID, openid).follow(now)
        if template_id is not None:
            wechat.state.notices.decide(APPID, openid, template_id, "accept")
    return openids


_PEOPLE = """
INSERT INTO openids (appid, openid, unionid, first_seen_at, last_seen_at, resolve_state)
SELECT $1, openid, 'u' || openid, $3, $3, 'resolved' FROM unnest($2::text[]) openid
"""
_FOLLOWERS = """
INSERT INTO followers (appid, openid, unionid, following, followed_at, scene, last_at, last_id)
SELECT $1, openid, 'u' || openid, $4, $3, 'store', $3, gen_random_uuid()
FROM unnest($2::text[]) openid
"""
_CONSENTS = """
INSERT INTO consents (appid, openid, template_id, state, decided_at, decided_id, accepted)
SELECT $1, openid, $4, 'accept', $3, gen_random_uuid(), 1 FROM unnest($2::text[]) openid
"""


def audience(**changes: object) -> Json:
    """Return the body of a send to an audience."""
    wanted: Json = {
        "appid": APPID,
        "template_id": PARCEL,
        "name": "Moved",
        "data": DATA,
        "audience": {},
        "max_recipients": 1000,
        "rate": 200,
    }
    return wanted | changes


async def started(service: Service, **changes: object) -> Json:
    """Start a send to an audience."""
    answer = await service.api("POST", "notice-sends", json=audience(**changes))
    assert answer.status_code == 202, answer.text
    found: Json = answer.json()
    return found


async def run_to_the_end(jobs: Jobs, send_id: str, clock: WorldClock, *, most: int = 100) -> None:
    """Run the job of a send each second until it does not want to run again."""
    for _ in range(most):
        if not await run(jobs, send_id):
            return
        clock.advance(timedelta(seconds=1))
    raise AssertionError("the send goes on")
