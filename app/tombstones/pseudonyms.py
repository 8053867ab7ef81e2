"""What stands in the place of a person: HMAC-SHA-256 of the id with a secret of the service."""

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
    """Makes the same pseudonym of the same id each time; nobody finds it without the secret."""

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
    """Return the pseudonyms of this service. secret: as set; None: drawn once, and kept."""
    if secret is not None:
        return Pseudonyms(secret.get_secret_value().encode())
    wanted = select(ServiceSecret.value).where(ServiceSecret.name == _NAME)
    kept = await session.scalar(wanted)
    if kept is None:
        drawn = insert(ServiceSecret).values(name=_NAME, value=secrets.token_bytes(_BYTES))
        await session.execute(drawn.on_conflict_do_nothing())
        kept = (await session.scalars(wanted)).one()
    return Pseudonyms(kept)
