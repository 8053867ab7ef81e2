"""The job `qrcodes.renew`: gets a QR code from WeChat, and a temporary one again before it ends.

Source: protocol 9.5; linkage 4.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import SHANGHAI, Clock
from app.db.engine import SessionFactory
from app.db.queue import enqueue
from app.links.renewal_policy import next_attempt
from app.qrcodes import store
from app.qrcodes.jobs import missing_job, renew_job
from app.qrcodes.life import end_of, renewal_of
from app.qrcodes.models import QrCode, QrCodeDay, QrKind
from app.wechat.api import WeChatApi
from app.wechat.api_responses import QrTicket
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.errors import NoToken
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

MAX_FOUND: Final = 1000
# Another attempt within this is worth a job of its own; a later one is the sweep's.
SWEEP_EVERY: Final = timedelta(minutes=1)
FIGURES_KEPT: Final = timedelta(days=400)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class QrRenewer:
    """What the job needs."""

    sessions: SessionFactory
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Claim:
    qrcode_id: UUID
    lease: UUID
    appid: AppId
    kind: QrKind
    scene: str
    may_exist: bool


async def renew(renewer: QrRenewer, qrcode_id: UUID) -> None:
    """Ask WeChat for a code if that is due.

    A run that is killed leaves its lease behind; the sweep starts another one when that has ended,
    which asks for the same scene again.
    """
    claim = await _claim(renewer, qrcode_id)
    if claim is None:
        return
    try:
        ticket = await with_token(
            renewer.tokens,
            claim.appid,
            lambda token: renewer.api.create_qrcode(
                token, claim.scene, permanent=claim.kind is QrKind.PERMANENT
            ),
            api="qrcode/create",
        )
    except ApiError as error:
        await _note_failure(renewer, claim, error)
    else:
        await _store(renewer, claim, ticket)


async def sweep(sessions: SessionFactory, clock: Clock) -> None:
    """Enqueue the job of every code that is due and not being renewed; delete old figures."""
    now = clock.now()
    async with sessions.begin() as session:
        due = await session.scalars(
            select(QrCode.id)
            .where(
                QrCode.renew_at <= now,
                or_(QrCode.leased_until.is_(None), QrCode.leased_until <= now),
            )
            .order_by(QrCode.renew_at)
            .limit(MAX_FOUND)
        )
        await enqueue(session, [missing_job(qrcode_id) for qrcode_id in due])
    first = now.astimezone(SHANGHAI).date() - FIGURES_KEPT
    async with sessions.begin() as session:
        await session.execute(delete(QrCodeDay).where(QrCodeDay.day < first))


async def _claim(renewer: QrRenewer, qrcode_id: UUID) -> _Claim | None:
    async with renewer.sessions.begin() as session:
        code = await store.locked(session, qrcode_id)
        lease = None if code is None else code.take_lease(renewer.clock.now())
        if code is None or lease is None:
            return None
        may_exist, code.may_exist = code.may_exist, True
        return _Claim(code.id, lease, AppId(code.appid), code.kind, code.scene, may_exist)


async def _store(renewer: QrRenewer, claim: _Claim, ticket: QrTicket) -> None:
    now = renewer.clock.now()
    async with renewer.sessions.begin() as session:
        code = await _released(session, claim)
        if code is None:
            return
        code.url, code.ticket = ticket.url, ticket.ticket
        code.expires_at = end_of(claim.kind, ticket, now)
        code.renew_at = renewal_of(claim.kind, ticket, now)
        code.note_success()


async def _note_failure(renewer: QrRenewer, claim: _Claim, error: ApiError) -> None:
    now = renewer.clock.now()
    async with renewer.sessions.begin() as session:
        code = await _released(session, claim)
        if code is None:
            return
        code.note_failure(error, now)
        if error.errcode is not None or isinstance(error, NoToken):
            code.may_exist = claim.may_exist
        await _plan(session, code, next_attempt(error, code.attempts, now), now)
    log.warning(
        "qrcodes.not_renewed",
        appid=claim.appid,
        qrcode_id=str(claim.qrcode_id),
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid,
    )


async def _plan(session: AsyncSession, code: QrCode, at: datetime, now: datetime) -> None:
    code.renew_at = at
    if at - now < SWEEP_EVERY:
        await enqueue(session, [renew_job(code.id, delay=at - now)])


async def _released(session: AsyncSession, claim: _Claim) -> QrCode | None:
    """Return the locked code without the lease; None if it is deleted or another run has it."""
    code = await store.locked(session, claim.qrcode_id)
    return code if code is not None and code.release(claim.lease) else None
