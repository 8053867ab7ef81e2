"""Builds the console: an application of its own, mounted at `/console`."""

from collections.abc import Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from starlette.datastructures import State
from starlette.types import ASGIApp

from app.console import (
    arrivals_page,
    audit_page,
    doctor_page,
    language_switch,
    operators_page,
    settings_page,
    sign_in_page,
    static_files,
    today_page,
)
from app.console.alarms import section as alarms
from app.console.articles import section as articles
from app.console.campaigns import section as campaigns
from app.console.error_pages import add_error_pages
from app.console.followers import section as followers
from app.console.funnel import section as funnel
from app.console.gate import ConsoleGate
from app.console.links import section as links
from app.console.menus import section as menus
from app.console.message_pages import section as messages
from app.console.notices import section as notices
from app.console.open_sessions import OpenSessions
from app.console.qrcodes import section as qrcodes
from app.console.rules import section as rules
from app.console.section import Section
from app.console.subscriptions import section as subscriptions
from app.console.tags import section as tags
from app.console.template_environment import MOUNTED_AT, console_path
from app.console.webhooks import section as webhooks
from app.console.wechat_figures import section as figures
from app.ops.api_body import BodyLimit

# The order of the navigation; the first is where one arrives.
SECTIONS: Final[tuple[Section, ...]] = (
    today_page.SECTION,
    rules.SECTION,
    messages.SECTION,
    followers.SECTION,
    subscriptions.SECTION,
    figures.SECTION,
    funnel.SECTION,
    webhooks.SECTION,
    links.SECTION,
    articles.SECTION,
    qrcodes.SECTION,
    campaigns.SECTION,
    notices.SECTION,
    menus.SECTION,
    tags.SECTION,
    arrivals_page.SECTION,
    alarms.SECTION,
    doctor_page.SECTION,
    operators_page.SECTION,
    audit_page.SECTION,
    settings_page.SECTION,
)
# What belongs to no page: files, signing in and out, the language.
COMMON_ROUTERS: Final = (static_files.router, sign_in_page.router, language_switch.router)
# By path below the console: forms that take more than a mebibyte.
BODY_LIMITS: Final[Mapping[str, BodyLimit]] = {**rules.BODY_LIMITS, **campaigns.BODY_LIMITS}


def mount_console(app: FastAPI) -> None:
    """Serve the console below `/console`, and lead there from `/`.

    app.state has `settings`, `clock` and `database`, and may get more before the first request.
    `compile_templates` is to be run beside the application.
    """

    async def to_console() -> RedirectResponse:
        return RedirectResponse(f"{MOUNTED_AT}/")

    for path in ("/", MOUNTED_AT):
        app.add_api_route(path, to_console, include_in_schema=False)
    app.mount(MOUNTED_AT, create_console(app.state))


def create_console(state: State) -> ASGIApp:
    """Return the console. state: of the application that it is mounted in; both share it."""
    console = FastAPI(openapi_url=None, redirect_slashes=False)
    console.state = state
    state.console_sections = SECTIONS
    state.open_sessions = OpenSessions(state.database, state.clock)
    add_error_pages(console)
    for router in COMMON_ROUTERS:
        console.include_router(router)
    for section in SECTIONS:
        console.include_router(section.router, prefix=section.path)
    console.add_api_route("/", _first_page)
    return ConsoleGate(console, state.database, state.clock, BODY_LIMITS)


async def _first_page() -> RedirectResponse:
    return RedirectResponse(console_path(SECTIONS[0].path))
