"""Who calls `/api`, and what the token allows."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from fastapi import HTTPException, Request

from app.access.actor import Actor
from app.access.scopes import ALL_SCOPES, ApiScope

FORBIDDEN = 403

NoteScope = Callable[[ApiScope], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a valid token.

    appids: accounts of which it may speak; None: any account. note_scope: is told
    each scope that a request needs.
    """

    actor: Actor
    scopes: frozenset[ApiScope]
    appids: frozenset[str] | None
    note_scope: NoteScope | None = None

    @classmethod
    def with_every_scope(cls, actor: Actor) -> "Caller":
        """Return the owner of one of ADMIN_TOKENS."""
        return cls(actor, ALL_SCOPES, None)

    async def use(self, scope: ApiScope) -> None:
        """Note that a request needs this scope. Raises HTTPException 403 if the token lacks it."""
        self.require(scope)
        if self.note_scope is not None:
            await self.note_scope(scope)

    def require(self, scope: ApiScope) -> None:
        """Raise HTTPException 403 if the token lacks this scope."""
        if scope not in self.scopes:
            raise HTTPException(
                FORBIDDEN,
                f"the token {self.actor.name} lacks the scope {scope}: make one that has it, with "
                f"oa-bridge tokens add NAME --scope {scope}",
            )

    def require_appids(self, appids: Collection[str]) -> None:
        """Raise HTTPException 403 if the token may not speak of these accounts."""
        if self.appids is None or self.appids.issuperset(appids):
            return
        first = min(set(appids) - self.appids)
        own = ", ".join(sorted(self.appids)) or "none"
        raise HTTPException(
            FORBIDDEN,
            f"the token {self.actor.name} may not speak of {first}; its AppIDs: {own}",
        )


def caller_of(request: Request) -> Caller:
    """Return who calls; the gate of `/api` has set it."""
    caller: Caller = request.state.caller
    return caller


def actor_of(request: Request) -> Actor:
    """Return who calls, as the audit log names it."""
    return caller_of(request).actor
