"""Keeps a fresh jsapi_ticket of each account that has JS-safe domains. The worker runs it.

Source: protocol 9.6; linkage 6.1.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from app.clock import Clock
from app.db.engine import Database
from app.jssdk import ticket_store
from app.jssdk.ticket_store import Ticket
from app.secret_box import SecretBox
from app.settings import Settings
from app.wechat.api import WeChatApi
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.errors import Paused
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

# No rule says whether a new ticket ends the one before, so there is a new one seldom, and both are
# used until their end.
RENEWED_AT: Final = 0.9
# A ticket that is said to end at once would be asked for by every run.
MIN_LIFE: Final = timedelta(minutes=10)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TicketRenewer:
    """What the job needs."""

    database: Database
    api: WeChatApi
    tokens: AccessTokens
    box: SecretBox
    clock: Clock
    settings: Settings


async def renew_due(renewer: TicketRenewer) -> None:
    """Get a ticket for each account that has none or whose own is near its end.

    One account's refusal keeps no other from its ticket. It is logged, shown by readiness, and
    asked again by the next run.
    """
    for appid in signing_accounts(renewer.settings):
        try:
            await _renew(renewer, appid)
        except Paused:  # logged where it was noted
            continue
        except ApiError as error:
            log.warning(
                "jssdk.ticket_not_renewed",
                appid=appid,
                errcode=error.errcode,
                errmsg=error.errmsg,
                rid=error.rid,
            )


def signing_accounts(settings: Settings) -> list[AppId]:
    """Return the accounts that have JS-safe domains and an AppSecret to get a ticket with."""
    return [
        AppId(appid)
        for appid, account in settings.accounts.items()
        if account.js_safe_domains and account.appsecret is not None
    ]


def is_due(ticket: Ticket | None, now: datetime) -> bool:
    """Tell whether a new ticket is to be asked for."""
    if ticket is None:
        return True
    life = ticket.expires_at - ticket.obtained_at
    return now >= ticket.obtained_at + life * RENEWED_AT


async def _renew(renewer: TicketRenewer, appid: AppId) -> None:
    if not is_due(await _stored(renewer, appid), renewer.clock.now()):
        return
    # One worker asks, and the others find its ticket. The lock holds no pooled connection.
    async with renewer.database.locks.hold(f"oa_bridge.jsapi_ticket.{appid}"):
        if not is_due(await _stored(renewer, appid), renewer.clock.now()):
            return
        obtained_at = renewer.clock.now()
        found = await with_token(
            renewer.tokens, appid, renewer.api.jsapi_ticket, api="ticket/getticket"
        )
        life = max(timedelta(seconds=found.expires_in), MIN_LIFE)
        ticket = Ticket(found.ticket, obtained_at, obtained_at + life)
        async with renewer.database.sessions.begin() as session:
            await ticket_store.save(session, renewer.box, appid, ticket)


async def _stored(renewer: TicketRenewer, appid: AppId) -> Ticket | None:
    async with renewer.database.sessions() as session:
        return await ticket_store.read(session, renewer.box, appid)
