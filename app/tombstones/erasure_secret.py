"""The secret behind the pseudonyms: ERASURE_HMAC_SECRET, or one that the database keeps.

Another secret would give other pseudonyms, and nobody who was erased would be recognised. One that
can't be decrypted is therefore never replaced.
"""

import secrets
from dataclasses import dataclass
from typing import Final

import structlog
from pydantic import SecretStr
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.secret_box import WRONG_KEY, DecryptionFailed, SecretBox, secret_box
from app.settings import Settings
from app.tombstones.models import ServiceSecret

_NAME: Final = "erasure"
_PURPOSE: Final = b"service_secret:erasure"
_BYTES: Final = 32

log = structlog.get_logger()


class ErasureSecretUnreadable(Exception):
    """The stored secret can't be decrypted. Nobody can be erased or recognised until it can."""

    def __init__(self) -> None:
        super().__init__(f"the secret of erased people can't be read: {WRONG_KEY}")


@dataclass(frozen=True, slots=True)
class ErasureSecret:
    """Where the secret comes from.

    given: ERASURE_HMAC_SECRET; None: one that is generated once and kept in the database. box:
    encrypts the one in the database.
    """

    given: SecretStr | None
    box: SecretBox


def erasure_secret(settings: Settings) -> ErasureSecret:
    """Return where the secret of these settings comes from."""
    return ErasureSecret(settings.erasure_hmac_secret, secret_box(settings))


async def read_secret(session: AsyncSession, secret: ErasureSecret) -> bytes:
    """Return the secret; generate it if there is none. Raises ErasureSecretUnreadable."""
    if secret.given is not None:
        return secret.given.get_secret_value().encode()
    stored = await session.get(ServiceSecret, _NAME)
    if stored is None:
        await session.execute(
            insert(ServiceSecret)
            .values(name=_NAME, **_columns(secrets.token_bytes(_BYTES), secret.box))
            .on_conflict_do_nothing()
        )
        # Another process may have inserted its own first: read what is stored.
        stored = await session.get_one(ServiceSecret, _NAME)
    try:
        return _value_of(stored, secret.box)
    except DecryptionFailed:
        log.error("tombstones.secret_unreadable", fix=WRONG_KEY)
        raise ErasureSecretUnreadable from None


async def is_current(session: AsyncSession, secret: ErasureSecret) -> bool:
    """Tell whether the stored secret, if any, is encrypted as the settings say.

    Raises DecryptionFailed if it is needed and can't be decrypted.
    """
    stored = await session.get(ServiceSecret, _NAME)
    if stored is None:
        return True
    try:
        return secret.box.is_current(_text_of(stored), _PURPOSE)
    except DecryptionFailed:
        if secret.given is None:
            raise
        return True


async def rewrite(session: AsyncSession, box: SecretBox) -> int:
    """Store the secret encrypted as the settings say; return the number of changed rows.

    Raises DecryptionFailed.
    """
    stored = await session.get(ServiceSecret, _NAME, with_for_update=True)
    if stored is None or box.is_current(_text_of(stored), _PURPOSE):
        return 0
    for column, value in _columns(_value_of(stored, box), box).items():
        setattr(stored, column, value)
    return 1


def _value_of(stored: ServiceSecret, box: SecretBox) -> bytes:
    return bytes.fromhex(box.decrypt(_text_of(stored), _PURPOSE))


def _text_of(stored: ServiceSecret) -> str:
    return (stored.value or b"").hex() if stored.encrypted is None else stored.encrypted


def _columns(value: bytes, box: SecretBox) -> dict[str, object]:
    text = box.encrypt(value.hex(), _PURPOSE)
    if text == value.hex():
        return {"value": value, "encrypted": None}
    # A release that does not know this column must not take the encrypted text for the secret.
    return {"value": None, "encrypted": text}
