"""SQL of jsapi_tickets, which SECRET_KEY encrypts. One that can't be decrypted is fetched anew."""

from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.jssdk.models import JsapiTicket
from app.secret_box import WRONG_KEY, DecryptionFailed, SecretBox
from app.wechat.ids import AppId
from app.wechat_client.sealed_rows import rewrite_rows

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ticket:
    """A jsapi_ticket, when WeChat gave it out, and when it ends."""

    value: str = field(repr=False)
    obtained_at: datetime
    expires_at: datetime


async def read(session: AsyncSession, box: SecretBox, appid: AppId) -> Ticket | None:
    """Return the stored ticket; None if there is none that can be decrypted."""
    row = (await session.execute(_COLUMNS.where(JsapiTicket.appid == appid))).one_or_none()
    if row is None:
        return None
    try:
        return Ticket(box.decrypt(row.ticket, _purpose(appid)), row.obtained_at, row.expires_at)
    except DecryptionFailed:
        log.warning("jssdk.ticket_unreadable", appid=appid, fix=WRONG_KEY)
        return None


async def save(session: AsyncSession, box: SecretBox, appid: AppId, ticket: Ticket) -> None:
    """Store the ticket in place of the one before."""
    values = {
        "ticket": box.encrypt(ticket.value, _purpose(appid)),
        "obtained_at": ticket.obtained_at,
        "expires_at": ticket.expires_at,
    }
    statement = insert(JsapiTicket).values(appid=appid, **values)
    await session.execute(statement.on_conflict_do_update(index_elements=["appid"], set_=values))


async def rewrite(session: AsyncSession, box: SecretBox) -> int:
    """Encrypt stored tickets as the settings say; return the number of changed rows.

    Those that can't be decrypted are left to be fetched anew.
    """
    rows = await session.scalars(select(JsapiTicket).order_by(JsapiTicket.appid).with_for_update())
    return rewrite_rows(rows, "ticket", box, _purpose)


def _purpose(appid: str) -> bytes:
    return b"jsapi_ticket:" + appid.encode()


_COLUMNS = select(JsapiTicket.ticket, JsapiTicket.obtained_at, JsapiTicket.expires_at)
