"""SQL of the templates that accounts have."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.notices.models import NoticeKind, NoticeTemplate
from app.notices.template_keys import keys_of
from app.wechat.api_responses import ListedTemplate

LONG_TERM = 3


async def templates(session: AsyncSession, appids: Sequence[str]) -> Sequence[NoticeTemplate]:
    """Return the templates of these accounts that WeChat lists, by account, kind and title."""
    found = await session.scalars(
        select(NoticeTemplate)
        .where(NoticeTemplate.appid.in_(appids), NoticeTemplate.gone_at.is_(None))
        .order_by(NoticeTemplate.appid, NoticeTemplate.kind, NoticeTemplate.title)
    )
    return found.all()


async def template(session: AsyncSession, appid: str, template_id: str) -> NoticeTemplate | None:
    """Return one template that WeChat lists."""
    found = await session.get(NoticeTemplate, (appid, template_id))
    return None if found is None or found.gone_at is not None else found


async def titles(session: AsyncSession, appid: str) -> Mapping[str, str]:
    """Return the title of each template that an account has or had."""
    found = await session.execute(
        select(NoticeTemplate.template_id, NoticeTemplate.title).where(
            NoticeTemplate.appid == appid
        )
    )
    return {row.template_id: row.title for row in found}


async def store(
    session: AsyncSession,
    appid: str,
    kind: NoticeKind,
    listed: Sequence[ListedTemplate],
    now: datetime,
) -> None:
    """Store what WeChat lists of one kind; what is not listed any more is gone."""
    names = [one.template_id for one in listed]
    await session.execute(
        update(NoticeTemplate)
        .where(
            NoticeTemplate.appid == appid,
            NoticeTemplate.kind == kind,
            NoticeTemplate.template_id.not_in(names),
            NoticeTemplate.gone_at.is_(None),
        )
        .values(gone_at=now)
    )
    rows = {one.template_id: _row(appid, kind, one, now) for one in listed}
    if not rows:
        return
    new = insert(NoticeTemplate).values([rows[name] for name in sorted(rows)])
    changed = {name: new.excluded[name] for name in next(iter(rows.values()))}
    await session.execute(
        new.on_conflict_do_update(
            index_elements=[NoticeTemplate.appid, NoticeTemplate.template_id], set_=changed
        )
    )


def _row(appid: str, kind: NoticeKind, one: ListedTemplate, now: datetime) -> dict[str, object]:
    return {
        "appid": appid,
        "template_id": one.template_id,
        "kind": kind,
        "title": one.title,
        "content": one.content,
        "example": one.example,
        "is_long_term": one.type == LONG_TERM,
        "keys": [key.as_json() for key in keys_of(one.content, one.choices)],
        "listed_at": now,
        "gone_at": None,
    }
