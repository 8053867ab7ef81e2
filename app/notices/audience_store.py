"""SQL of `/api/notice-sends`: starts, pauses, resumes, stops and lists sends."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.db.queue import enqueue
from app.notices import audience
from app.notices.audience import Audience
from app.notices.audience_schemas import AudienceIn, AudienceSendIn
from app.notices.code_room import require_codes
from app.notices.code_source import CodeSource
from app.notices.errors import AudienceTooLarge, KeyReused, TooManyOpenSends, WrongState
from app.notices.jobs import send_job
from app.notices.models import NoticeSend, NoticeTemplate, SendSource, SendState
from app.notices.request_store import RequestKey, is_one_time, send_of_key

MAX_OPEN_SENDS: Final = 50

_ACTIONS: Final = {
    SendState.PAUSED: Action.NOTICES_PAUSED,
    SendState.RUNNING: Action.NOTICES_RESUMED,
    SendState.STOPPED: Action.NOTICES_STOPPED,
}
# From which states a send can get into another one.
_BEFORE: Final = {
    SendState.PAUSED: frozenset({SendState.RUNNING}),
    SendState.RUNNING: frozenset({SendState.PAUSED}),
    SendState.STOPPED: frozenset({SendState.RUNNING, SendState.PAUSED}),
}


async def start(
    session: AsyncSession,
    actor: Actor,
    template: NoticeTemplate,
    wanted: AudienceSendIn,
    content: dict[str, Any],
    *,
    request: RequestKey,
    now: datetime,
    codes: CodeSource,
) -> UUID:
    """Start a send to an audience; return it, or the one that the same key started before.

    With a campaign it becomes one of its doors. Raises AudienceTooLarge, TooManyOpenSends,
    KeyReused, TooFewCodes, CampaignWithoutCodes.
    """
    people = await audience.count(session, audience_of(template, wanted))
    if people > wanted.max_recipients:
        raise AudienceTooLarge(people, wanted.max_recipients)
    if await _open(session) >= MAX_OPEN_SENDS:
        raise TooManyOpenSends(MAX_OPEN_SENDS)
    asked = await _ask_for_codes(session, template, wanted)
    send_id = uuid7()
    added = await session.scalar(
        insert(NoticeSend)
        .values(
            id=send_id,
            source=SendSource.AUDIENCE,
            kind=template.kind,
            appid=template.appid,
            template_id=template.template_id,
            is_one_time=is_one_time(template),
            name=wanted.name,
            content=content,
            audience=wanted.audience.model_dump(mode="json", exclude_none=True),
            state=SendState.RUNNING,
            campaign_id=wanted.campaign_id,
            codes_asked=asked,
            rate=wanted.rate,
            total=0,
            max_total=wanted.max_recipients,
            idempotency_key=request.key,
            digest=None if request.key is None else request.digest,
            created_at=now,
            created_by=actor.name,
        )
        .on_conflict_do_nothing(
            index_elements=[NoticeSend.idempotency_key],
            index_where=text("idempotency_key IS NOT NULL"),
        )
        .returning(NoticeSend.id)
    )
    if added is None and request.key is not None:
        earlier = await send_of_key(session, request.key, request.digest, now)
        if earlier is None:
            raise KeyReused
        return earlier
    if wanted.campaign_id is not None:
        await codes.add_door(session, actor, wanted.campaign_id, send_id, now)
    await audit.record(
        session,
        actor,
        Action.NOTICES_STARTED,
        subject_of(send_id),
        now=now,
        after=template.template_id,
    )
    await enqueue(session, [send_job(send_id, SendSource.AUDIENCE)])
    return send_id


async def _ask_for_codes(
    session: AsyncSession, template: NoticeTemplate, wanted: AudienceSendIn
) -> int:
    """Return how many codes the people need. Raises TooFewCodes."""
    if wanted.campaign_id is None:
        return 0
    people = audience_of(template, wanted)
    needed = await audience.count_without_code(session, people, wanted.campaign_id)
    await require_codes(session, wanted.campaign_id, needed)
    return needed


def audience_of(template: NoticeTemplate, wanted: AudienceIn) -> Audience:
    """Return whom a template goes to."""
    return Audience(
        template.appid,
        template.template_id,
        template.kind,
        is_one_time(template),
        wanted.audience,
    )


async def change(
    session: AsyncSession, actor: Actor, send: NoticeSend, state: SendState, now: datetime
) -> None:
    """Pause, resume or stop a locked send. Raises WrongState."""
    if send.ended_at is not None or send.state not in _BEFORE[state]:
        raise WrongState(send.state.value)
    before, send.state = send.state, state
    if state is SendState.RUNNING:
        send.errcode = send.errmsg = send.rid = None
        send.wait_until = send.quota_checked_at = send.quota_room = None
    await audit.record(
        session,
        actor,
        _ACTIONS[state],
        subject_of(send.id),
        now=now,
        before=before,
        after=state,
    )
    await enqueue(session, [send_job(send.id, send.source)])


async def page(
    session: AsyncSession, *, source: SendSource, before: UUID | None, limit: int
) -> Sequence[NoticeSend]:
    """Return sends, the newest first."""
    query = select(NoticeSend).where(NoticeSend.source == source)
    if before is not None:
        query = query.where(NoticeSend.id < before)
    return (await session.scalars(query.order_by(NoticeSend.id.desc()).limit(limit))).all()


async def paused(session: AsyncSession) -> int:
    """Return how many sends to audiences are paused."""
    found = await session.scalar(
        select(func.count())
        .select_from(NoticeSend)
        .where(NoticeSend.ended_at.is_(None), NoticeSend.state == SendState.PAUSED)
    )
    return found or 0


def subject_of(send_id: UUID) -> Subject:
    """Return a send as the subject of an audit entry."""
    return Subject(SubjectKind.NOTICE_SEND, str(send_id))


async def _open(session: AsyncSession) -> int:
    """Return how many sends to audiences are not over."""
    found = await session.scalar(
        select(func.count())
        .select_from(NoticeSend)
        .where(NoticeSend.ended_at.is_(None), NoticeSend.source == SendSource.AUDIENCE)
    )
    return found or 0
