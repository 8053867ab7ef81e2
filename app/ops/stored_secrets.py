"""Reads whether the secrets in the database are encrypted as the settings say, for /readyz.

Access tokens and tickets of the JS-SDK are left out: they live for two hours, and one that can't be
decrypted is fetched anew.
"""

import asyncio
from dataclasses import dataclass

import structlog
from sqlalchemy import text

from app.db.diagnosis import describe
from app.db.engine import Database
from app.ops.database_state import DATABASE_ERRORS, TIMEOUT_SECONDS
from app.secret_box import (
    DecryptionFailed,
    alarm_receiver_purpose,
    secret_box,
    webhook_secret_box,
)
from app.settings import Settings
from app.tombstones import erasure_secret
from app.webhooks import rewrite_secrets

ERASURE = "the secret of erased people"
# At most MAX_RECEIVERS of `app.alarms`, which stands above this package.
_ALARM_RECEIVERS = text("SELECT id, secrets FROM alarm_receivers ORDER BY id")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StoredSecrets:
    """outdated: number of secrets to be stored anew. unreadable: what they belong to."""

    outdated: int
    unreadable: tuple[str, ...]


async def read(database: Database, settings: Settings) -> StoredSecrets | None:
    """Return the state of the secrets; None if it can't be read within a second."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS), database.sessions() as session:
            webhooks = await rewrite_secrets.inspect(session, webhook_secret_box(settings))
            outdated = webhooks.outdated
            unreadable = [f"the secret of webhook {one}" for one in webhooks.unreadable]
            try:
                secret = erasure_secret.erasure_secret(settings)
                outdated += not await erasure_secret.is_current(session, secret)
            except DecryptionFailed:
                unreadable.append(ERASURE)
            box = secret_box(settings)
            for receiver_id, stored in await session.execute(_ALARM_RECEIVERS):
                try:
                    outdated += not box.is_current(stored, alarm_receiver_purpose(receiver_id))
                except DecryptionFailed:
                    unreadable.append(f"the address of alarm receiver {receiver_id}")
            return StoredSecrets(outdated, tuple(unreadable))
    except DATABASE_ERRORS as error:
        log.warning("the secrets' state can't be read", reason=describe(error))
        return None
