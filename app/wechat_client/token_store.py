"""SQL of access tokens, which SECRET_KEY encrypts. One that can't be decrypted is fetched anew."""

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.secret_box import WRONG_KEY, DecryptionFailed, SecretBox
from app.wechat.ids import AppId
from app.wechat_client.models import AccessToken
from app.wechat_client.sealed_rows import rewrite_rows

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when it expires."""

    value: str = field(repr=False)
    expires_at: datetime


async def read(session: AsyncSession, box: SecretBox, appid: AppId) -> Token | None:
    """Return the stored token; None if there is none that can be decrypted."""
    row = await session.get(AccessToken, appid)
    if row is None:
        return None
    try:
        return Token(box.decrypt(row.token, _purpose(appid)), row.expires_at)
    except DecryptionFailed:
        log.warning("access.token_unreadable", appid=appid, fix=WRONG_KEY)
        return None


async def save(
    session: AsyncSession, box: SecretBox, appid: AppId, token: Token, now: datetime
) -> None:
    """Store the token in place of the one before."""
    values = {
        "token": box.encrypt(token.value, _purpose(appid)),
        "obtained_at": now,
        "expires_at": token.expires_at,
    }
    statement = insert(AccessToken).values(appid=appid, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["appid"], set_=values))


async def rewrite(session: AsyncSession, box: SecretBox) -> int:
    """Encrypt stored tokens as the settings say; return the number of changed rows.

    Those that can't be decrypted are left to be fetched anew.
    """
    rows = await session.scalars(select(AccessToken).order_by(AccessToken.appid).with_for_update())
    return rewrite_rows(rows, "token", box, _purpose)


def _purpose(appid: str) -> bytes:
    return b"access_token:" + appid.encode()
