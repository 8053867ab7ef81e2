"""Gives a webhook a new secret; the old one goes on signing for a while."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api_model import ApiModel
from app.webhooks.secret_encryption import SecretBox
from app.webhooks.signing import new_secret
from app.webhooks.store import WithSecret, locked


async def rotate(
    session: AsyncSession, webhook_id: UUID, overlap: timedelta, box: SecretBox, now: datetime
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
    return webhook, secret


class Rotation(ApiModel):
    """A change of the secret."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Annotated[int, Field(ge=0, le=168, strict=True)] = 24
    """How long the present secret signs along with the new one; 0: not at all."""
