"""The pages of the console. With a line here a page has all tests that each page has."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.access.roles import Role
from tests.service import Service

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


PAGES: Final = (
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
        "sign_in.html",
        "signed_out.html",
    }
)
