"""Reads whether the secrets in the database are encrypted as the settings say, for /readyz.

Access tokens are left out, since one that can't be decrypted is fetched anew.
"""

import asyncio
from dataclasses import dataclass

import structlog

from app.db.diagnosis import describe
from app.db.engine import Database
from app.ops.database_state import DATABASE_ERRORS, TIMEOUT_SECONDS
from app.secret_box import DecryptionFailed, webhook_secret_box
from app.settings import Settings
from app.tombstones import erasure_secret
from app.webhooks import rewrite_secrets

ERASURE = "the secret of erased people"

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
            return StoredSecrets(outdated, tuple(unreadable))
    except DATABASE_ERRORS as error:
        log.warning("the secrets' state can't be read", reason=describe(error))
        return None
