"""SQL of `/api/links`: adds, changes, deletes and lists links. The audit log has every change."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.db.queue import enqueue
from app.links.errors import SlugTaken, TooManyLinks
from app.links.jobs import renew_job
from app.links.models import Link, LinkOpens, OpenKind
from app.links.schemas import LinkIn

# Every one is renewed each month, so this is far below the quota of WeChat.
MAX_LINKS: Final = 100_000
_SLUG_BYTES: Final = 6


async def page(
    session: AsyncSession, *, before: UUID | None, limit: int, appid: str | None = None
) -> Sequence[Link]:
    """Return links, the newest first. before: the id of the last link of the page before."""
    query = select(Link).order_by(Link.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Link.id < before)
    if appid is not None:
        query = query.where(Link.appid == appid)
    return (await session.scalars(query)).all()


async def add(session: AsyncSession, actor: Actor, link_in: LinkIn, now: datetime) -> Link:
    """Add a link, and enqueue the job that gets its URL Link. Raises SlugTaken, TooManyLinks."""
    if (await session.scalar(select(func.count()).select_from(Link)) or 0) >= MAX_LINKS:
        raise TooManyLinks
    link = Link(
        id=uuid7(),
        slug=link_in.slug or secrets.token_urlsafe(_SLUG_BYTES),
        revision=1,
        created_at=now,
        updated_at=now,
        renew_at=now,
        attempts=0,
    )
    _fill(link, link_in)
    session.add(link)
    await _flush(session, link)
    await audit.record(
        session, actor, Action.LINK_ADDED, subject_of(link.id), now=now, after=link.revision
    )
    await enqueue(session, [renew_job(link.id)])
    return link


async def by_slug(session: AsyncSession, slug: str) -> Link | None:
    """Return the link with this slug."""
    return await session.scalar(select(Link).where(Link.slug == slug))


async def locked(session: AsyncSession, link_id: UUID) -> Link | None:
    """Return a link with its row locked."""
    return await session.get(Link, link_id, with_for_update=True, populate_existing=True)


async def replace(
    session: AsyncSession, actor: Actor, link: Link, link_in: LinkIn, now: datetime
) -> None:
    """Replace what a locked link opens, and enqueue its job. Raises SlugTaken.

    Its URL Link opens the earlier page until the new one is there. Without a slug the present one
    is kept.
    """
    before = link.revision
    _fill(link, link_in)
    link.slug = link_in.slug or link.slug
    link.revision += 1
    link.updated_at = now
    link.renew_at = now
    link.attempts = 0
    await _flush(session, link)
    await audit.record(
        session,
        actor,
        Action.LINK_CHANGED,
        subject_of(link.id),
        now=now,
        before=before,
        after=link.revision,
    )
    await enqueue(session, [renew_job(link.id)])


async def renew_now(session: AsyncSession, actor: Actor, link: Link, now: datetime) -> None:
    """Let the worker ask WeChat for another URL Link of a locked link at once."""
    link.renew_at = now
    await audit.record(session, actor, Action.LINK_RENEWED, subject_of(link.id), now=now)
    await enqueue(session, [renew_job(link.id)])


async def remove(session: AsyncSession, actor: Actor, link_id: UUID, now: datetime) -> bool:
    """Delete a link and its figures; return whether it existed."""
    revision = await session.scalar(delete(Link).where(Link.id == link_id).returning(Link.revision))
    if revision is None:
        return False
    await session.execute(delete(LinkOpens).where(LinkOpens.link_id == link_id))
    await audit.record(
        session, actor, Action.LINK_DELETED, subject_of(link_id), now=now, before=revision
    )
    return True


async def opens_by_day(
    session: AsyncSession, link_id: UUID, since: date, until: date
) -> Mapping[date, Mapping[str, int]]:
    """Return the opens of each day that has any, by kind; both days are included."""
    found = await session.execute(
        select(LinkOpens.day, LinkOpens.kind, LinkOpens.count)
        .where(LinkOpens.link_id == link_id, LinkOpens.day.between(since, until))
        .order_by(LinkOpens.day)
    )
    days: dict[date, dict[str, int]] = {}
    for day, kind, count in found:
        days.setdefault(day, {})[kind] = count
    return days


async def totals(session: AsyncSession, link_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Return how often each link was opened in all, previews left out; links without opens lack."""
    found = await session.execute(
        select(LinkOpens.link_id, func.sum(LinkOpens.count))
        .where(LinkOpens.link_id.in_(link_ids), LinkOpens.kind != OpenKind.PREVIEW.value)
        .group_by(LinkOpens.link_id)
    )
    return {link_id: int(total) for link_id, total in found}


def subject_of(link_id: UUID) -> Subject:
    """Return a link as the subject of an audit entry."""
    return Subject(SubjectKind.LINK, str(link_id))


def _fill(link: Link, link_in: LinkIn) -> None:
    link.name = link_in.name
    link.appid = link_in.appid
    link.path = link_in.path
    link.query = link_in.query
    link.utm = None if link_in.utm is None else link_in.utm.model_dump(mode="json")
    link.env_version = link_in.env_version
    link.fallback_url = link_in.fallback_url


async def _flush(session: AsyncSession, link: Link) -> None:
    slug = link.slug  # what the row had before is read again once the statement is undone
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError:
        raise SlugTaken(slug) from None
