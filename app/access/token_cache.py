"""The API tokens as a web process knows them.

There are few tokens, so a process holds all of them and reads them again when a request comes and
they are older than MAX_AGE_SECONDS. Requests add no query of their own this way, however many there
are and whatever tokens they guess; a new token works, and a revoked one does not, after that time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import tokens
from app.access.models import ApiToken
from app.access.random_secret import secret_hash
from app.access.scopes import ApiScope
from app.clock import Clock
from app.db.engine import UNAVAILABLE_ERRORS, SessionFactory

MAX_AGE_SECONDS: Final = 2.0
# While the database is unavailable, what was read last holds for so long.
MAX_STALE_SECONDS: Final = 60.0
TIMEOUT_SECONDS: Final = 2.0
# A database that does not answer is asked again after this, so that requests do not queue for it.
RETRY_SECONDS: Final = 1.0
SCOPE_NOTED_AFTER: Final = timedelta(days=1)

log = structlog.get_logger()


class TokensUnavailable(Exception):
    """The tokens can't be read, and what was read last is too old."""


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token as it was read last. Scopes that this release does not know are left out."""

    id: UUID
    name: str
    scopes: frozenset[ApiScope]
    appids: frozenset[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    scopes_used_at: Mapping[str, str]

    def why_invalid(self, now: datetime) -> str | None:
        """Return why the token is not valid, for its owner; None if it is."""
        if self.revoked_at is not None:
            return f"The token {self.name} is revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return f"The token {self.name} expired at {self.expires_at.isoformat()}"
        return None


class TokenCache:
    """All tokens, read at most once in MAX_AGE_SECONDS."""

    def __init__(
        self,
        sessions: SessionFactory,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._monotonic = monotonic
        self._known: Mapping[bytes, KnownToken] = {}
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._reading = asyncio.Lock()
        self._used_at: dict[UUID, datetime] = {}
        self._scopes_used_at: dict[tuple[UUID, ApiScope], datetime] = {}

    async def find(self, token: str) -> KnownToken | None:
        """Return the token with this text, valid or not; None if there is none.

        Raises TokensUnavailable.
        """
        await self._refresh()
        return self._known.get(secret_hash(token))

    async def is_empty(self) -> bool:
        """Return whether there is no token at all. Raises TokensUnavailable."""
        await self._refresh()
        return not self._known

    async def note_use(self, token: KnownToken) -> None:
        """Note that a token is used, at most once a minute. A database that fails is left alone."""
        now = self._clock.now()
        used_at = max(filter(None, (token.last_used_at, self._used_at.get(token.id))), default=None)
        if used_at is not None and now - used_at < tokens.USE_NOTED_AFTER:
            return
        self._used_at[token.id] = now
        await self._note(partial(tokens.note_use, token_id=token.id, now=now))

    async def note_scope(self, token: KnownToken, scope: ApiScope) -> None:
        """Note that a scope of a token is needed, at most once a day."""
        now, key = self._clock.now(), (token.id, scope)
        noted = token.scopes_used_at.get(scope)
        read = None if noted is None else datetime.fromisoformat(noted)
        used_at = max(filter(None, (read, self._scopes_used_at.get(key))), default=None)
        if used_at is not None and now - used_at < SCOPE_NOTED_AFTER:
            return
        self._scopes_used_at[key] = now
        await self._note(partial(tokens.note_scope, token_id=token.id, scope=scope, now=now))

    async def _note(self, write: Callable[[AsyncSession], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._sessions.begin() as session:
                await write(session)
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            log.warning("tokens.use_not_noted", error=type(error).__name__)

    async def _refresh(self) -> None:
        if self._age() <= MAX_AGE_SECONDS:
            return
        async with self._reading:
            if self._age() > MAX_AGE_SECONDS and self._may_try():
                await self._read()
        if self._age() > MAX_STALE_SECONDS:
            raise TokensUnavailable

    def _age(self) -> float:
        return self._monotonic() - self._read_at

    def _may_try(self) -> bool:
        return self._monotonic() - self._tried_at >= RETRY_SECONDS

    async def _read(self) -> None:
        began = self._monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), self._sessions() as session:
                rows = await tokens.read_all(session)
        except (*UNAVAILABLE_ERRORS, SQLAlchemyError) as error:
            self._tried_at = self._monotonic()
            log.warning("tokens.not_read", error=type(error).__name__)
            return
        self._known = _by_hash(rows)
        self._used_at = {
            token.id: self._used_at[token.id]
            for token in self._known.values()
            if token.id in self._used_at
        }
        self._read_at = began


def _by_hash(rows: Sequence[ApiToken]) -> Mapping[bytes, KnownToken]:
    known_scopes = {scope.value for scope in ApiScope}
    return {
        row.secret_hash: KnownToken(
            row.id,
            row.name,
            frozenset(ApiScope(name) for name in row.scopes if name in known_scopes),
            frozenset(row.appids),
            row.expires_at,
            row.revoked_at,
            row.last_used_at,
            row.scopes_used_at,
        )
        for row in rows
    }
