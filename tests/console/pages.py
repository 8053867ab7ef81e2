"""The pages of the console. With a line here a page has all tests that each page has."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from app.access import tokens
from app.access.actor import Actor, ActorKind
from app.access.roles import Role
from app.access.scopes import ApiScope
from tests.service import APPID, Service

Prepare = Callable[[Service], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page. path: below the console. template: what it renders. role: the least that it takes.

    prepare: makes what the page shows, and returns the path with its query; None: nothing is made.
    """

    path: str
    template: str
    role: Role = Role.VIEWER
    prepare: Prepare | None = None
    status: int = 200


async def prepare(page: Page, service: Service) -> str:
    """Make what a page shows; return its path."""
    return page.path if page.prepare is None else await page.prepare(service)


async def with_tokens(service: Service) -> str:
    """Add tokens: one that is valid, one that has expired, one that is revoked."""
    actor, now = Actor(ActorKind.CLI, "cli"), service.clock.now()
    expires_at = now + timedelta(hours=1)
    async with service.app.state.database.sessions.begin() as session:
        for name in ("crm", "店铺", "old"):
            scopes = [ApiScope.IDENTITIES_WRITE, ApiScope.STATS_READ]
            await tokens.add(session, actor, name, scopes, [APPID], expires_at=expires_at, now=now)
        await tokens.revoke(session, actor, "old", now=now)
    return "/operators/tokens"


PAGES: Final = (
    Page("/operators", "operators/index.html", Role.OWNER),
    Page("/operators?done=role", "operators/index.html", Role.OWNER),
    Page("/operators/sessions", "operators/sessions.html", Role.OWNER),
    Page("/operators/tokens", "operators/tokens.html", Role.OWNER),
    Page("/operators/tokens", "operators/tokens.html", Role.OWNER, with_tokens),
    Page("/settings", "settings/index.html"),
    Page("/audit", "audit/index.html"),
    Page("/audit?actor=nobody", "audit/index.html"),
)

# What other templates are made of, and the pages of those who are not signed in.
TEMPLATES_WITHOUT_A_PAGE: Final = frozenset(
    {
        "components.html",
        "error.html",
        "layout.html",
        "no_operator.html",
        # Answers of a form, see test_operators_page.py.
        "operators/link.html",
        "operators/tabs.html",
        "operators/token.html",
        "sign_in.html",
        "signed_out.html",
    }
)
