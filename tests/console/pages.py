"""The pages of the console. With a line here a page has all tests that each page has."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.access.roles import Role
from tests.console import people
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
    Page("/followers", "followers/index.html"),
    Page("/followers?following=no", "followers/index.html"),
    Page("/followers (filled)", "followers/index.html", prepare=people.a_list),
    Page("/followers/person", "followers/person.html", Role.OWNER, people.a_person),
    Page("/followers/erasures", "followers/erasure.html", Role.OWNER, people.an_erasure),
    Page("/followers/growth", "followers/growth.html"),
    Page("/followers/growth (filled)", "followers/growth.html", prepare=people.growth),
    Page("/operators", "operators/index.html", Role.OWNER),
    Page("/operators?done=role", "operators/index.html", Role.OWNER),
    Page("/operators/sessions", "operators/sessions.html", Role.OWNER),
    Page("/settings", "settings/index.html"),
    Page("/audit", "audit/index.html"),
    Page("/audit?actor=nobody", "audit/index.html"),
)

# What other templates are made of, and the pages of those who are not signed in.
TEMPLATES_WITHOUT_A_PAGE: Final = frozenset(
    {
        "components.html",
        "error.html",
        # Fields of the pages with figures.
        "figures/range.html",
        "followers/tabs.html",
        "layout.html",
        "no_operator.html",
        # Answers of a form, see test_operators_page.py.
        "operators/link.html",
        "operators/tabs.html",
        "sign_in.html",
        "signed_out.html",
    }
)
