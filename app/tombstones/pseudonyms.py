"""Pseudonyms that replace the ids of erased people: HMAC-SHA-256 with a secret of the service.

The form is `erased:` and 64 hexadecimal digits.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from typing import Final

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.models import ServiceSecret
from app.tombstones.subject import PREFIX

_NAME: Final = "erasure"
_BYTES: Final = 32


class Pseudonyms:
    """Computes pseudonyms: always the same one for an id; computing it needs the secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of_openid(self, appid: str, openid: str) -> str:
        """Return the pseudonym of an OpenID."""
        return self._of("openid", appid, openid)

    def of_unionids(self, unionids: Iterable[str]) -> dict[str, str]:
        """Return the pseudonym of each UnionID."""
        return {unionid: self._of("unionid", unionid) for unionid in sorted(unionids)}

    def _of(self, *parts: str) -> str:
        return (
            PREFIX + hmac.new(self._secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()
        )


async def pseudonyms(session: AsyncSession, secret: SecretStr | None) -> Pseudonyms:
    """Return the pseudonyms of this service.

    secret: ERASURE_HMAC_SECRET. None: a secret that is generated once and kept in the database.
    """
    if secret is not None:
        return Pseudonyms(secret.get_secret_value().encode())
    stored = select(ServiceSecret.value).where(ServiceSecret.name == _NAME)
    value = await session.scalar(stored)
    if value is None:
        generated = insert(ServiceSecret).values(name=_NAME, value=secrets.token_bytes(_BYTES))
        await session.execute(generated.on_conflict_do_nothing())
        # Another process may have inserted its own first: read what is stored.
        value = (await session.scalars(stored)).one()
    return Pseudonyms(value)
