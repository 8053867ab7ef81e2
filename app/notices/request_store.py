"""SQL that queues the notices of a request, once for each idempotency key."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.api_model import ApiModel
from app.db.queue import enqueue
from app.notices.errors import KeyReused
from app.notices.jobs import send_job
from app.notices.models import (
    Notice,
    NoticeKind,
    NoticeSend,
    NoticeTemplate,
    SendSource,
    SendState,
)
from app.notices.schemas import MAX_RECIPIENTS

KEY_LIFE: Final = timedelta(days=7)
# Of notices that are named in a request: what a batch of 1,000 needs some seconds for.
RATE: Final = 200
FORGET_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class NewNotice:
    """One notice to queue. content: as `stored_content` has it."""

    openid: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RequestKey:
    """The idempotency key of a request, and the digest by which the request is recognised."""

    key: str | None
    digest: bytes


def digest_of(wanted: ApiModel) -> bytes:
    """Return the digest by which a repeated request is recognised."""
    document = wanted.model_dump(mode="json")
    if document.get("campaign_id") is None:
        # As it was before notices had codes: a request may be repeated after an upgrade.
        document.pop("campaign_id", None)
    written = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).digest()


async def send_of_key(session: AsyncSession, key: str, digest: bytes, now: datetime) -> UUID | None:
    """Return the send that a request with this key made. Raises KeyReused for another request.

    A key that is older than seven days is forgotten here, if the sweep has not done it yet.
    """
    await session.execute(_FORGET_ONE, {"key": key, "before": now - KEY_LIFE})
    found = (
        await session.execute(
            select(NoticeSend.id, NoticeSend.digest).where(NoticeSend.idempotency_key == key)
        )
    ).one_or_none()
    if found is None:
        return None
    if found.digest != digest:
        raise KeyReused
    send_id: UUID = found.id
    return send_id


async def queue(
    session: AsyncSession,
    actor: Actor,
    template: NoticeTemplate,
    notices: Sequence[NewNotice],
    *,
    request: RequestKey,
    now: datetime,
    campaign_id: UUID | None,
    codes_asked: int,
) -> UUID:
    """Queue the notices and their job; return the send. Raises KeyReused.

    Of requests with one key that come at once, the first one queues and the others wait for it.
    """
    send_id = uuid7()
    added = await session.scalar(
        insert(NoticeSend)
        .values(
            id=send_id,
            source=SendSource.REQUEST,
            kind=template.kind,
            appid=template.appid,
            template_id=template.template_id,
            is_one_time=is_one_time(template),
            name="",
            # Each notice has its own, which goes when its person is erased.
            content={},
            state=SendState.RUNNING,
            campaign_id=campaign_id,
            codes_asked=codes_asked,
            rate=RATE,
            total=len(notices),
            max_total=len(notices),
            idempotency_key=request.key,
            digest=None if request.key is None else request.digest,
            created_at=now,
            created_by=actor.name,
            queued_at=now,
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
    await session.execute(
        _ADD,
        {
            "ids": [uuid7() for _ in notices],
            "openids": [one.openid for one in notices],
            "contents": [orjson.dumps(one.content).decode() for one in notices],
            "send_id": send_id,
            "appid": template.appid,
            "template_id": template.template_id,
            "kind": template.kind.value,
            "now": now,
        },
    )
    await enqueue(session, [send_job(send_id, SendSource.REQUEST)])
    # A program that sends to one person at a time would bury what people do.
    await audit.record_hourly(
        session,
        actor,
        Action.NOTICES_QUEUED,
        Subject(SubjectKind.ACCOUNT, template.appid),
        now=now,
        count=len(notices),
    )
    return send_id


async def queued_notices(session: AsyncSession, send_id: UUID) -> Sequence[tuple[UUID, str]]:
    """Return the id and the OpenID of each notice of a request, in its order."""
    found = await session.execute(
        select(Notice.id, Notice.openid)
        .where(Notice.send_id == send_id)
        .order_by(Notice.id)
        .limit(MAX_RECIPIENTS)
    )
    return [(row.id, row.openid) for row in found]


async def forget_keys(session: AsyncSession, now: datetime) -> None:
    """Forget the idempotency keys that are older than seven days."""
    await session.execute(_FORGET, {"before": now - KEY_LIFE, "limit": FORGET_LIMIT})


def is_one_time(template: NoticeTemplate) -> bool:
    """Return whether each notice of a template uses up one consent."""
    return template.kind is NoticeKind.SUBSCRIPTION and not template.is_long_term


_ADD: Final = text("""
INSERT INTO notices (id, send_id, appid, openid, template_id, kind, status, content, created_at,
                     next_at)
SELECT id, :send_id, :appid, openid, :template_id, :kind, 'pending', CAST(content AS jsonb), :now,
       :now
FROM unnest(CAST(:ids AS uuid[]), CAST(:openids AS text[]), CAST(:contents AS text[]))
     AS n(id, openid, content)
""")

_FORGET_ONE: Final = text("""
UPDATE notice_sends SET idempotency_key = NULL, digest = NULL
WHERE idempotency_key = :key AND created_at < :before
""")

_FORGET: Final = text("""
UPDATE notice_sends SET idempotency_key = NULL, digest = NULL WHERE id = ANY(ARRAY(
    SELECT id FROM notice_sends
    WHERE idempotency_key IS NOT NULL AND created_at < :before
    LIMIT :limit FOR UPDATE SKIP LOCKED
))
""")
