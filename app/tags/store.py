"""SQL of tags and of who has which."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.tags.errors import SystemTag, UnknownTag
from app.tags.models import FollowerTag, Tag
from app.wechat.tag_responses import ListedTag

SYSTEM_TAGS: Final = frozenset({0, 1, 2})
MAX_COUNTED: Final = 100_000
MAX_OF_PERSON: Final = 500


async def of_account(session: AsyncSession, appid: str) -> Sequence[Tag]:
    """Return the tags of an account as they were read last, by id."""
    found = await session.scalars(select(Tag).where(Tag.appid == appid).order_by(Tag.tag_id))
    return found.all()


async def known_people(session: AsyncSession, appid: str) -> Mapping[int, int]:
    """Return how many people with each tag are known, MAX_COUNTED at most."""
    found = await session.execute(_KNOWN_PEOPLE, {"appid": appid, "most": MAX_COUNTED})
    return {row.tag_id: row.people for row in found}


async def require(session: AsyncSession, appid: str, tag_id: int) -> Tag:
    """Return a tag. Raises UnknownTag."""
    tag = await session.get(Tag, (appid, tag_id))
    if tag is None:
        raise UnknownTag(tag_id)
    return tag


async def require_own(session: AsyncSession, appid: str, tag_id: int) -> Tag:
    """Return a tag that can be changed. Raises UnknownTag, SystemTag."""
    if tag_id in SYSTEM_TAGS:
        raise SystemTag(tag_id)
    return await require(session, appid, tag_id)


async def keep(session: AsyncSession, appid: str, tags: Sequence[ListedTag], now: datetime) -> None:
    """Store tags as WeChat has them, and leave those alone that it does not name."""
    if not tags:
        return
    rows = [
        {
            "appid": appid,
            "tag_id": tag.id,
            "name": tag.name,
            "people": tag.count,
            "listed_at": now,
        }
        for tag in sorted(tags, key=lambda one: one.id)
    ]
    statement = insert(Tag).values(rows)
    new = {name: statement.excluded[name] for name in ("name", "people", "listed_at")}
    await session.execute(
        statement.on_conflict_do_update(index_elements=["appid", "tag_id"], set_=new)
    )


async def replace_all(
    session: AsyncSession, appid: str, tags: Sequence[ListedTag], asked_at: datetime, now: datetime
) -> None:
    """Store what WeChat lists, and forget the tags that it lists no more.

    asked_at: before the call; what was added since is not forgotten.
    """
    await keep(session, appid, tags, now)
    await session.execute(
        delete(Tag).where(
            Tag.appid == appid,
            Tag.tag_id.not_in([tag.id for tag in tags]),
            Tag.listed_at < asked_at,
        )
    )


async def add(
    session: AsyncSession, actor: Actor, appid: str, tag_id: int, name: str, now: datetime
) -> Tag:
    """Store a tag that WeChat has created."""
    await keep(session, appid, [ListedTag(tag_id, name, 0)], now)
    await _record(session, actor, Action.TAG_ADDED, appid, tag_id, now, after=name)
    return await session.get_one(Tag, (appid, tag_id))


async def rename(
    session: AsyncSession, actor: Actor, appid: str, tag_id: int, name: str, now: datetime
) -> None:
    """Store the name that WeChat has given a tag."""
    tag = await session.get(Tag, (appid, tag_id), with_for_update=True)
    before = None
    if tag is not None:
        before, tag.name = tag.name, name
    await _record(session, actor, Action.TAG_RENAMED, appid, tag_id, now, before, name)


async def remove(
    session: AsyncSession, actor: Actor, appid: str, tag_id: int, now: datetime
) -> None:
    """Forget a tag that WeChat has deleted, and who had it."""
    name = await session.scalar(
        delete(Tag).where(Tag.appid == appid, Tag.tag_id == tag_id).returning(Tag.name)
    )
    await _record(session, actor, Action.TAG_DELETED, appid, tag_id, now, before=name)


async def of_people(
    session: AsyncSession, keys: Sequence[tuple[str, str]]
) -> Sequence[tuple[FollowerTag, str]]:
    """Return the tags of people, with their names, the one known longest first."""
    found = await session.execute(
        select(FollowerTag, Tag.name)
        .join(Tag, (Tag.appid == FollowerTag.appid) & (Tag.tag_id == FollowerTag.tag_id))
        .where(tuple_(FollowerTag.appid, FollowerTag.openid).in_(keys))
        .order_by(FollowerTag.appid, FollowerTag.openid, FollowerTag.tag_id)
        .limit(MAX_OF_PERSON)
    )
    return [(row[0], row[1]) for row in found]


async def add_people(
    session: AsyncSession, appid: str, tag_id: int, openids: Sequence[str], now: datetime
) -> None:
    """Note that people have a tag. The caller has locked them, and they are known."""
    await session.execute(
        _ADD, {"appid": appid, "tag_id": tag_id, "openids": sorted(openids), "now": now}
    )


async def remove_people(
    session: AsyncSession, appid: str, tag_id: int, openids: Sequence[str]
) -> None:
    """Note that people do not have a tag."""
    await session.execute(
        delete(FollowerTag).where(
            FollowerTag.appid == appid,
            FollowerTag.tag_id == tag_id,
            FollowerTag.openid.in_(openids),
        )
    )


async def remove_stale(session: AsyncSession, tag: Tag, limit: int) -> int:
    """Forget up to `limit` people with a tag whom WeChat did not name since it listed the tag."""
    found = await session.execute(
        _STALE,
        {"appid": tag.appid, "tag_id": tag.tag_id, "before": tag.listed_at, "limit": limit},
    )
    return len(found.all())


async def next_tag(session: AsyncSession, appid: str, after: int) -> Tag | None:
    """Return the tag with the lowest id above `after`."""
    found = await session.scalars(
        select(Tag).where(Tag.appid == appid, Tag.tag_id > after).order_by(Tag.tag_id).limit(1)
    )
    return found.one_or_none()


async def count_tags(session: AsyncSession, appid: str) -> int:
    """Return how many tags an account has."""
    found = await session.scalar(select(func.count()).select_from(Tag).where(Tag.appid == appid))
    return found or 0


async def _record(
    session: AsyncSession,
    actor: Actor,
    action: Action,
    appid: str,
    tag_id: int,
    now: datetime,
    before: str | None = None,
    after: str | None = None,
) -> None:
    subject = Subject(SubjectKind.TAG, f"{appid}/{tag_id}")
    await audit.record(session, actor, action, subject, now=now, before=before, after=after)


_KNOWN_PEOPLE: Final = text("""
SELECT t.tag_id, (
    SELECT count(*) FROM (
        SELECT FROM follower_tags f
        WHERE f.appid = t.appid AND f.tag_id = t.tag_id LIMIT :most
    ) AS counted
) AS people
FROM tags t WHERE t.appid = :appid
""")

# The tag may be deleted meanwhile; its row is locked until the end by the foreign key.
_ADD: Final = text("""
INSERT INTO follower_tags (appid, openid, tag_id, known_at)
SELECT :appid, openid, :tag_id, :now FROM unnest(CAST(:openids AS text[])) AS p(openid)
WHERE EXISTS (SELECT FROM tags WHERE appid = :appid AND tag_id = :tag_id FOR KEY SHARE)
ORDER BY openid
ON CONFLICT (appid, openid, tag_id) DO UPDATE SET known_at = excluded.known_at
""")

_STALE: Final = text("""
DELETE FROM follower_tags
WHERE appid = :appid AND tag_id = :tag_id AND openid = ANY(ARRAY(
    SELECT openid FROM follower_tags
    WHERE appid = :appid AND tag_id = :tag_id AND known_at < :before
    ORDER BY openid LIMIT :limit FOR UPDATE
))
RETURNING 1
""")
