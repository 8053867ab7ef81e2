"""Makes campaigns with codes, and lets people write to their rules."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import httpx

from app.codes.models import CampaignCode
from app.worker import Jobs
from tests.service import (
    ADMIN_TOKEN,
    OPENID,
    Json,
    Service,
    WeChat,
    card,
    column,
    message,
    text_reply,
)

NOON = datetime(2026, 7, 1, 4, tzinfo=UTC)
CODED_CARD = card(pagepath="pages/sale?code={code}", otherwise="no code left, {ref}")
CODED_TEXT = text_reply("Your code: {code}", via="customer_service")


def body(service: Service, *doors: Json, **changes: object) -> Json:
    """Return the body of a campaign that runs now."""
    now = service.clock.now()
    return {
        "name": "Summer <sale>",
        "starts_at": (now - timedelta(days=1)).isoformat(),
        "ends_at": (now + timedelta(days=10)).isoformat(),
        "doors": list(doors),
        **changes,
    }


def rule_door(rule_id: int) -> Json:
    """Return a rule as a door."""
    return {"kind": "rule", "id": str(rule_id)}


async def added(service: Service, *doors: Json, **changes: object) -> Json:
    """Add a campaign."""
    answer = await service.api("POST", "campaigns", json=body(service, *doors, **changes))
    assert answer.status_code == 201, answer.text
    found: Json = answer.json()
    return found


async def sent_file(service: Service, campaign: Json, content: str | bytes) -> httpx.Response:
    """Send a file of codes."""
    return await service.http.post(
        f"/api/campaigns/{campaign['id']}/codes/imports",
        headers={"authorization": f"Bearer {ADMIN_TOKEN}", "content-type": "text/csv"},
        content=content,
    )


async def imported(service: Service, jobs: Jobs, campaign: Json, *codes: str) -> Json:
    """Import codes, and let the worker add them."""
    answer = await sent_file(service, campaign, "\n".join(codes))
    assert answer.status_code == 202, answer.text
    await jobs.add_codes({"import_id": answer.json()["id"]})
    return await service.read(f"campaigns/{campaign['id']}/codes/imports/{answer.json()['id']}")


async def running(service: Service, jobs: Jobs, *replies: Json, codes: int = 9) -> Json:
    """Make a campaign of one rule, with codes CODE-1 and so on."""
    rule_id = await service.add_rule(*replies)
    campaign = await added(service, rule_door(rule_id))
    if codes:
        await imported(service, jobs, campaign, *(f"CODE-{number}" for number in range(codes)))
    return campaign


async def write(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    *,
    openid: str = OPENID,
) -> Json:
    """Let a follower write to the rule, send what is queued, and return the last message."""
    wechat.open_window(openid)
    answer = await service.push(message(service.clock, openid=openid))
    assert answer.status_code == 200, answer.text
    (callback_id,) = await column(
        connection,
        "SELECT id FROM callbacks WHERE openid = $1 ORDER BY id DESC LIMIT 1",
        openid,
    )
    await jobs.deliver({"callback_id": str(callback_id)})
    return wechat.sent(openid)[-1]


def code_of(sent: Json) -> str:
    """Return the code in a card that was sent."""
    page: str = sent["content"]["pagepath"]
    return page.partition("code=")[2].partition("&")[0]


async def given(connection: asyncpg.Connection) -> list[Json]:
    """Return every code that somebody has, with the person."""
    found = await connection.fetch(
        "SELECT code, appid, openid, unionid, door_kind, door_id, void_at FROM campaign_codes "
        "WHERE given_at IS NOT NULL ORDER BY code"
    )
    return [dict(row) for row in found]


async def redeemed(
    service: Service, campaign: Json, code: str, key: str = "order-1"
) -> httpx.Response:
    """Redeem a code."""
    return await service.api(
        "POST", f"campaigns/{campaign['id']}/redemptions", json={"code": code, "key": key}
    )


async def campaign_of_examples(service: Service) -> Json:
    """Add a campaign with the person and the code that the examples of the API name."""
    campaign = await added(service)
    identity = {"appid": "wx0123456789abcdef", "openid": "oUser1", "unionid": "uUser1"}
    await service.api("PUT", "identities", json={"identities": [identity]})
    await service.push(message(service.clock, "hello"))
    codes = [
        CampaignCode(campaign_id=UUID(campaign["id"]), code="SUMMER-7F3K-Q2", given_at=NOON),
        CampaignCode(campaign_id=UUID(campaign["id"]), code="SUMMER-9M2D-X4"),
    ]
    async with service.app.state.database.sessions.begin() as session:
        session.add_all(codes)
    return campaign
