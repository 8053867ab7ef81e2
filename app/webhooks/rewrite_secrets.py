"""Finds signing secrets that are not encrypted as the settings say, and stores them anew."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.secret_box import DecryptionFailed, SecretBox
from app.webhooks.models import Webhook


@dataclass(frozen=True, slots=True)
class SecretsState:
    """outdated: number of secrets to be stored anew. unreadable: webhooks with a wrong key."""

    outdated: int
    unreadable: tuple[UUID, ...]


async def inspect(session: AsyncSession, box: SecretBox) -> SecretsState:
    """Return the state of all signing secrets. There are at most 2 * MAX_WEBHOOKS."""
    webhooks = (await session.scalars(select(Webhook).order_by(Webhook.id))).all()
    found = [state for webhook in webhooks for state in _states(webhook, box)]
    return SecretsState(
        outdated=sum(1 for _, _, is_current in found if is_current is False),
        unreadable=tuple(
            webhook.id
            for webhook, column, is_current in found
            if is_current is None and column == "secret"
        ),
    )


async def rewrite(session: AsyncSession, box: SecretBox) -> int:
    """Store secrets encrypted as the settings say; return the number of those that changed.

    Those that can't be decrypted stay as they are.
    """
    changed = 0
    webhooks = await session.scalars(select(Webhook).order_by(Webhook.id).with_for_update())
    for webhook in webhooks.all():
        purpose = webhook.id.bytes
        for _, column, is_current in list(_states(webhook, box)):
            if is_current is False:
                secret = box.decrypt(getattr(webhook, column), purpose)
                setattr(webhook, column, box.encrypt(secret, purpose))
                changed += 1
    return changed


def _states(webhook: Webhook, box: SecretBox) -> Iterator[tuple[Webhook, str, bool | None]]:
    """Yield the columns with a secret, and whether it is current; None: it can't be decrypted."""
    for column in ("secret", "secret_previous"):
        stored = getattr(webhook, column)
        if stored is None:
            continue
        try:
            yield webhook, column, box.is_current(stored, webhook.id.bytes)
        except DecryptionFailed:
            yield webhook, column, None
