"""Which campaign a rule gives codes of, and by which of its doors a person came."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns.models import CampaignDoorKind
from app.codes.holder import Door


class AnsweredPush(NamedTuple):
    """A push that a rule answers. at: when it arrived."""

    callback_id: UUID
    rule_id: int
    at: datetime


async def running_of_rule(session: AsyncSession, push: AnsweredPush) -> UUID | None:
    """Return the campaign that had the rule among its doors when the push came; None: none had."""
    found: UUID | None = await session.scalar(
        _RUNNING, {"door_id": str(push.rule_id), "at": push.at}
    )
    return found


async def door_of(session: AsyncSession, campaign_id: UUID, push: AnsweredPush) -> Door:
    """Return the door of a campaign by which a person came.

    That is the QR code that was scanned, or the button that was tapped, if it is one of the doors;
    else the rule.
    """
    for kind, query in (
        (CampaignDoorKind.QRCODE, _QRCODE),
        (CampaignDoorKind.MENU_BUTTON, _MENU_BUTTON),
    ):
        door_id = await session.scalar(
            query, {"campaign_id": campaign_id, "callback_id": push.callback_id}
        )
        if door_id is not None:
            return Door(kind, door_id)
    return Door(CampaignDoorKind.RULE, str(push.rule_id))


_RUNNING: Final = text("""
SELECT c.id FROM campaign_doors d JOIN campaigns c ON c.id = d.campaign_id
WHERE d.kind = 'rule' AND d.door_id = :door_id AND c.deleted_at IS NULL
  AND c.starts_at <= :at AND c.ends_at > :at
LIMIT 1
""")

# An event of the history has the id of its push.
_QRCODE: Final = text("""
SELECT d.door_id FROM follow_events f
JOIN qrcodes q ON q.scene = f.scene AND q.appid = f.appid
JOIN campaign_doors d ON d.kind = 'qrcode' AND d.door_id = CAST(q.id AS text)
WHERE f.id = :callback_id AND d.campaign_id = :campaign_id
LIMIT 1
""")

_MENU_BUTTON: Final = text("""
SELECT d.door_id FROM callbacks p
JOIN LATERAL (
    SELECT b.position FROM menu_buttons b
    WHERE b.appid = p.appid AND b.event = p.event
      AND b.event_key = p.payload ->> 'EventKey' AND b.live_from <= p.occurred_at
    ORDER BY b.number DESC, b.menu_id NULLS FIRST, b.position LIMIT 1
) button ON true
JOIN campaign_doors d ON d.kind = 'menu_button' AND d.door_id = p.appid || '/' || button.position
WHERE p.id = :callback_id AND p.event = 'CLICK' AND d.campaign_id = :campaign_id
LIMIT 1
""")
