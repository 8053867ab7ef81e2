"""The pages of the console. With a line here a page has all tests that each page has."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.access.roles import Role
from tests.console import made_messages
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
    Page("/messages", "messages/index.html"),
    Page("/messages?text=none", "messages/index.html"),
    Page("/messages with messages", "messages/index.html", prepare=made_messages.some_messages),
    Page("/messages with a filter", "messages/index.html", prepare=made_messages.shown_texts),
    Page("/messages/failed", "messages/message.html", prepare=made_messages.a_failed_message),
    Page(
        "/messages/unanswered",
        "messages/message.html",
        prepare=made_messages.an_unanswered_message,
    ),
    Page("/messages/words", "messages/words.html"),
    Page("/messages/words?days=7", "messages/words.html"),
    Page("/messages/words with words", "messages/words.html", prepare=made_messages.words),
    Page("/messages/retries/new", "messages/retry.html", Role.EDITOR),
    Page(
        "/messages/retries/new with replies",
        "messages/retry.html",
        Role.EDITOR,
        made_messages.a_failed_filter,
    ),
    Page("/messages/retries", "messages/retries.html"),
    Page(
        "/messages/retries with one",
        "messages/retries.html",
        prepare=made_messages.a_list_of_retries,
    ),
    Page(
        "/messages/retries/running",
        "messages/retry_results.html",
        prepare=made_messages.a_running_retry,
    ),
    Page(
        "/messages/retries/empty",
        "messages/retry_results.html",
        prepare=made_messages.an_empty_retry,
    ),
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
        "layout.html",
        "messages/progress.html",
        "messages/rows.html",
        "messages/shown.html",
        "messages/tabs.html",
        "no_operator.html",
        # Answers of a form, see test_operators_page.py.
        "operators/link.html",
        "operators/tabs.html",
        "sign_in.html",
        "signed_out.html",
    }
)
