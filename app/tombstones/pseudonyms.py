"""Pseudonyms that replace the ids of erased people: HMAC-SHA-256 with a secret of the service.

The form is `erased:` and 64 hexadecimal digits.
"""

import hashlib
import hmac
from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from app.tombstones.erasure_secret import ErasureSecret, read_secret
from app.tombstones.subject import PREFIX


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


async def pseudonyms(session: AsyncSession, secret: ErasureSecret) -> Pseudonyms:
    """Return the pseudonyms of this service. Raises ErasureSecretUnreadable."""
    return Pseudonyms(await read_secret(session, secret))
