"""Gives a webhook a new secret; the old one goes on signing for a while."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor
from app.webhooks.secret_encryption import SecretBox
from app.webhooks.signing import new_secret
from app.webhooks.store import WithSecret, locked, subject_of


async def rotate(
    session: AsyncSession,
    actor: Actor,
    webhook_id: UUID,
    overlap: timedelta,
    box: SecretBox,
    now: datetime,
) -> WithSecret | None:
    """Give a webhook a new secret. The present one signs along with it for `overlap`."""
    webhook = await locked(session, webhook_id)
    if webhook is None:
        return None
    webhook.secret_previous = webhook.secret if overlap else None
    webhook.secret_previous_until = now + overlap if overlap else None
    secret = new_secret()
    webhook.secret = box.encrypt(secret, webhook_id)
    webhook.updated_at = now
    subject = subject_of(webhook_id)
    await audit.record(session, actor, Action.WEBHOOK_SECRET_ROTATED, subject, now=now)
    return webhook, secret


class Rotation(BaseModel):
    """overlap_hours: how long the present secret signs along with the new one; 0: not at all."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Annotated[int, Field(ge=0, le=168, strict=True)] = 24
