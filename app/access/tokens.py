"""Adds, lists and revokes API tokens. Every change is in the audit log."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.access import audit
from app.access.actions import Action
from app.access.actor import Actor, Subject, SubjectKind
from app.access.errors import AccessError, NameTaken, NotFound
from app.access.models import ApiToken
from app.access.names import clean_name
from app.access.random_secret import secret_hash
from app.access.scopes import APPID_SCOPES, REPORTING_SCOPES, ApiScope
from app.access.token_text import new_token
from app.settings import APPID_PATTERN

# Every web process holds all of them in memory.
MAX_TOKENS: Final = 500
MAX_APPIDS: Final = 100
USE_NOTED_AFTER: Final = timedelta(minutes=1)


async def add(
    session: AsyncSession,
    actor: Actor,
    name: str,
    scopes: Collection[ApiScope],
    appids: Collection[str],
    *,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[ApiToken, str]:
    """Add a token; return it and its text, which nothing shows again.

    appids: accounts about which it may report, for APPID_SCOPES alone; REPORTING_SCOPES need them.
    expires_at: None: never. Raises InvalidName, NameTaken, and AccessError for anything else that
    is wrong.
    """
    name = clean_name(name)
    _check(scopes, appids)
    if expires_at is not None and expires_at <= now:
        raise AccessError("a token can't have expired before it is made")
    if (await session.scalar(select(func.count()).select_from(ApiToken)) or 0) >= MAX_TOKENS:
        raise AccessError(f"there are {MAX_TOKENS} tokens, which is the limit")
    secret = new_token()
    added: ApiToken | None = await session.scalar(
        insert(ApiToken)
        .values(
            id=uuid7(),
            name=name,
            secret_hash=secret_hash(secret),
            scopes=sorted(set(scopes)),
            appids=sorted(set(appids)),
            created_at=now,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(index_elements=[ApiToken.name])
        .returning(ApiToken)
    )
    if added is None:
        raise NameTaken(f"there is or was a token {name}: choose another name")
    scope_list = " ".join(added.scopes)
    await audit.record(
        session, actor, Action.TOKEN_ADDED, _subject(added), now=now, after=scope_list
    )
    return added, secret


async def read_all(session: AsyncSession) -> Sequence[ApiToken]:
    """Return every token by name, also those that are revoked or have expired."""
    rows = await session.scalars(select(ApiToken).order_by(ApiToken.name).limit(MAX_TOKENS))
    return rows.all()


async def revoke(session: AsyncSession, actor: Actor, name: str, *, now: datetime) -> ApiToken:
    """Make a token invalid for good; web processes know within seconds. Raises NotFound."""
    cleaned = clean_name(name)
    found = await session.scalar(select(ApiToken).where(ApiToken.name == cleaned).with_for_update())
    if found is None:
        raise NotFound(f"there is no token {cleaned}: see oa-bridge tokens list")
    if found.revoked_at is None:
        found.revoked_at = now
        await audit.record(
            session,
            actor,
            Action.TOKEN_REVOKED,
            _subject(found),
            now=now,
            before=" ".join(found.scopes),
        )
    return found


async def note_use(session: AsyncSession, token_id: UUID, *, now: datetime) -> None:
    """Note when a token was last used, to a minute."""
    await session.execute(
        update(ApiToken)
        .where(
            ApiToken.id == token_id,
            or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= now - USE_NOTED_AFTER),
        )
        .values(last_used_at=now)
    )


async def note_scope(
    session: AsyncSession, token_id: UUID, scope: ApiScope, *, now: datetime
) -> None:
    """Note that a scope of a token is needed."""
    used = func.jsonb_build_object(scope.value, now.isoformat())
    await session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id)
        .values(scopes_used_at=ApiToken.scopes_used_at.op("||")(used))
    )


async def unused_scopes(
    session: AsyncSession, *, since: datetime, now: datetime
) -> Sequence[tuple[str, Sequence[str]]]:
    """Return the valid tokens from before `since` with the scopes they have not needed since."""
    rows = await session.scalars(
        select(ApiToken)
        .where(
            ApiToken.created_at < since,
            ApiToken.revoked_at.is_(None),
            or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
        )
        .order_by(ApiToken.name)
        .limit(MAX_TOKENS)
    )
    found = [(row.name, _unused(row, since)) for row in rows]
    return [(name, scopes) for name, scopes in found if scopes]


def _unused(row: ApiToken, since: datetime) -> Sequence[str]:
    def is_unused(scope: str) -> bool:
        used_at = row.scopes_used_at.get(scope)
        return used_at is None or datetime.fromisoformat(used_at) < since

    return [scope for scope in row.scopes if is_unused(scope)]


async def any_valid(session: AsyncSession, *, now: datetime) -> bool:
    """Return whether `/api` can be called with a token of the database."""
    found = await session.scalar(
        select(
            exists().where(
                ApiToken.revoked_at.is_(None),
                or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
            )
        )
    )
    return bool(found)


def _check(scopes: Collection[ApiScope], appids: Collection[str]) -> None:
    if not scopes:
        raise AccessError(f"a token needs a scope: {', '.join(ApiScope)}")
    reporting = sorted(REPORTING_SCOPES.intersection(scopes))
    if reporting and not appids:
        raise AccessError(
            f"{reporting[0]} needs the AppIDs of the accounts about which it may report"
        )
    if appids and APPID_SCOPES.isdisjoint(scopes):
        names = ", ".join(sorted(APPID_SCOPES))
        raise AccessError(f"AppIDs are for the scopes {names} alone")
    if len(set(appids)) > MAX_APPIDS:
        raise AccessError(f"a token has at most {MAX_APPIDS} AppIDs")
    for appid in appids:
        if re.fullmatch(APPID_PATTERN, appid) is None:
            raise AccessError(f"{appid!r} is no AppID: wx and 16 digits or letters a to f")


def _subject(token: ApiToken) -> Subject:
    return Subject(SubjectKind.TOKEN, token.name)
