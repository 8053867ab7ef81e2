"""Campaigns for the pages about them: one with codes, doors and an import that goes on."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.actor import Actor, ActorKind
from app.campaigns import store
from app.campaigns.models import Invitation, Invited
from app.campaigns.schemas import CampaignIn, CostIn, DoorIn, TargetIn
from app.codes import import_store
from app.codes.models import CampaignCode
from app.qrcodes import store as qrcodes
from app.qrcodes.models import QrKind
from tests.service import APPID, CARD_APPID, Service, card

ACTOR = Actor(ActorKind.CLI, "cli")
NAME = "<b>夏季 sale</b>"


async def _campaign(service: Service) -> UUID:
    rule_id = await service.add_rule(card())
    now = service.clock.now()
    campaign_in = CampaignIn(
        name=NAME,
        starts_at=now - timedelta(days=3),
        ends_at=now + timedelta(days=3),
        doors=[DoorIn.model_validate({"kind": "rule", "id": str(rule_id)})],
        target=TargetIn(appid=CARD_APPID, pagepath="pages/sale"),
        cost=CostIn(amount=Decimal("5000.00")),
    )
    async with service.app.state.database.sessions.begin() as session:
        campaign = await store.add(session, ACTOR, campaign_in, now, mini_programs=())
        await import_store.draw(
            session, campaign.id, count=1000, prefix="S-", length=16, key=str(uuid4()), now=now
        )
        session.add_all(
            CampaignCode(
                campaign_id=campaign.id,
                code=f"CODE-{number}",
                given_at=now if number < 5 else None,
                door_kind="rule" if number < 4 else None,
                door_id=str(rule_id) if number < 4 else None,
                redeemed_at=now if number < 2 else None,
            )
            for number in range(9)
        )
        await _invitation(session, campaign.id, now)
        return campaign.id


async def _invitation(session: AsyncSession, campaign_id: UUID, now: datetime) -> None:
    """Let somebody invite two people, one of whom has left."""
    row = qrcodes.new_row(APPID, QrKind.TEMPORARY, NAME, now, scene=str(uuid4()))
    await qrcodes.insert_rows(session, [row])
    session.add(
        Invitation(
            qrcode_id=row["id"],
            campaign_id=campaign_id,
            appid=APPID,
            openid="oDEMO0aInviter",
            created_at=now,
        )
    )
    session.add_all(
        Invited(
            event_id=uuid4(),
            qrcode_id=row["id"],
            campaign_id=campaign_id,
            appid=APPID,
            followed_at=now,
            left_at=now if number else None,
        )
        for number in range(2)
    )


async def a_list(service: Service) -> str:
    """Make a campaign."""
    await _campaign(service)
    return "/campaigns"


async def a_campaign(service: Service) -> str:
    """Make a campaign, and return the path of its page."""
    return f"/campaigns/{await _campaign(service)}?done=added"


async def a_form(service: Service) -> str:
    """Make a campaign, and return the path of its form."""
    return f"/campaigns/{await _campaign(service)}/edit"
