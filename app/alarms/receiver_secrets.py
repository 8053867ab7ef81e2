"""What a receiver has that is secret: its address, its signing secret, the password of SMTP."""

from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.alarms.models import AlarmReceiver
from app.api_model import ApiModel
from app.secret_box import DecryptionFailed, SecretBox, alarm_receiver_purpose


class Secrets(ApiModel):
    """url: of a webhook or robot, which holds its key. secret: signs. password: of SMTP."""

    url: str | None = None
    secret: str | None = None
    password: str | None = None


def sealed(secrets: Secrets, box: SecretBox, receiver_id: UUID) -> str:
    """Return the text to store."""
    text = orjson.dumps(secrets.model_dump(exclude_none=True)).decode()
    return box.encrypt(text, alarm_receiver_purpose(receiver_id))


def opened(receiver: AlarmReceiver, box: SecretBox) -> Secrets:
    """Return the secrets of a receiver. Raises DecryptionFailed."""
    purpose = alarm_receiver_purpose(receiver.id)
    return Secrets.model_validate_json(box.decrypt(receiver.secrets, purpose))


async def rewrite(session: AsyncSession, box: SecretBox) -> tuple[int, list[UUID]]:
    """Encrypt stored secrets as the settings say.

    Return the number of changed rows, and the receivers whose secrets can't be decrypted: those
    stay as they are.
    """
    changed, unreadable = 0, []
    rows = await session.scalars(select(AlarmReceiver).order_by(AlarmReceiver.id).with_for_update())
    for row in rows:
        purpose = alarm_receiver_purpose(row.id)
        try:
            if not box.is_current(row.secrets, purpose):
                row.secrets = box.encrypt(box.decrypt(row.secrets, purpose), purpose)
                changed += 1
        except DecryptionFailed:
            unreadable.append(row.id)
    return changed, unreadable
