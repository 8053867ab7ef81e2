"""SQL that erases a person from the identity tables and notes up to when they are erased."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.identity import remarks
from app.tombstones.subject import ErasureSubject


async def lock(session: AsyncSession, person: ErasureSubject) -> bool:
    """Lock the OpenID against the inbox until the transaction ends; return whether it is known."""
    found = await session.scalar(_LOCK, person.parameters)
    return found is not None


async def mark(session: AsyncSession, person: ErasureSubject) -> None:
    """Note on an OpenID that stays up to when its contents are erased; a later time stays.

    What an operator calls the person is deleted.
    """
    await session.execute(_MARK, person.parameters)
    await remarks.forget(session, person.appid, person.openid)


async def mark_class(session: AsyncSession, person: ErasureSubject, scope: str) -> None:
    """Note on an OpenID up to when one class of its data is erased; a later time stays."""
    seconds = int(person.until.timestamp())
    await session.execute(_MARK_CLASS, person.parameters | {"scope": scope, "seconds": seconds})


async def erase(session: AsyncSession, person: ErasureSubject) -> Mapping[str, int]:
    """Delete the OpenID and its UnionID changes; return the number of rows by table."""
    counts = {}
    for table, statement in _DELETES.items():
        counts[table] = len((await session.execute(statement, person.parameters)).all())
    return counts


async def erased_until(session: AsyncSession, appid: str, openid: str) -> datetime | None:
    """Return up to when the contents of a known OpenID are erased; None if they are not."""
    until: datetime | None = await session.scalar(_UNTIL, {"appid": appid, "openid": openid})
    return until


async def classes_erased_until(
    session: AsyncSession, appid: str, openid: str
) -> Mapping[str, datetime]:
    """Return up to when classes of data of a known OpenID are erased, by `Scope` value."""
    revoked = await session.scalar(_CLASSES, {"appid": appid, "openid": openid})
    return {
        scope: datetime.fromtimestamp(seconds, UTC) for scope, seconds in (revoked or {}).items()
    }


async def forget_unionids(session: AsyncSession, unionids: Iterable[str]) -> Mapping[str, int]:
    """Delete UnionID changes from or to these UnionIDs.

    Changes of OpenIDs that have one of these UnionIDs now stay. Returns the number of rows by
    table.
    """
    deleted = await session.execute(_FORGET_UNIONIDS, {"unionids": list(unionids)})
    return {"unionid_changes": len(deleted.all())}


_LOCK = text("SELECT 1 FROM openids WHERE appid = :appid AND openid = :openid FOR UPDATE")

_MARK = text(
    """
    UPDATE openids
    SET erased_until = GREATEST(erased_until, CAST(:until AS timestamptz)),
        messaged_at = CASE WHEN messaged_at > CAST(:until AS timestamptz) THEN messaged_at END
    WHERE appid = :appid AND openid = :openid
    """
)

_MARK_CLASS = text(
    """
    UPDATE openids SET revoked = COALESCE(revoked, '{}') || jsonb_build_object(
        CAST(:scope AS text),
        GREATEST(CAST(revoked->>CAST(:scope AS text) AS bigint), CAST(:seconds AS bigint))
    )
    WHERE appid = :appid AND openid = :openid
    """
)

_DELETES = {
    "openids": text("DELETE FROM openids WHERE appid = :appid AND openid = :openid RETURNING 1"),
    "unionid_changes": text(
        "DELETE FROM unionid_changes WHERE appid = :appid AND openid = :openid RETURNING 1"
    ),
}

_UNTIL = text("SELECT erased_until FROM openids WHERE appid = :appid AND openid = :openid")

_CLASSES = text("SELECT revoked FROM openids WHERE appid = :appid AND openid = :openid")

_FORGET_UNIONIDS = text(
    """
    DELETE FROM unionid_changes c
    WHERE (old_unionid = ANY(CAST(:unionids AS text[]))
           OR new_unionid = ANY(CAST(:unionids AS text[])))
      AND NOT EXISTS (
          SELECT FROM openids o WHERE o.appid = c.appid AND o.openid = c.openid
            AND o.unionid = ANY(CAST(:unionids AS text[]))
      )
    RETURNING 1
    """
)
