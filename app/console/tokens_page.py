"""API tokens: with which scopes other systems use `/api`; a new one is shown once."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import tokens
from app.access.errors import AccessError, InvalidName, NameTaken
from app.access.scopes import APPID_SCOPES, REPORTING_SCOPES, ApiScope
from app.console import errors
from app.console.access_messages import message_of
from app.console.form_values import Blank
from app.console.messages import N_
from app.console.render import render
from app.console.signed_in import Owner
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.ops.auth import fingerprint
from app.settings import APPID_PATTERN, Settings

SEE_OTHER: Final = 303

router = APIRouter(prefix="/tokens")

SCOPES: Final = {
    ApiScope.RULES_READ: N_("read rules"),
    ApiScope.RULES_WRITE: N_("change rules"),
    ApiScope.PEOPLE_READ: N_("read followers and users"),
    ApiScope.PEOPLE_WRITE: N_("change followers and users"),
    ApiScope.PEOPLE_ERASE: N_("erase people"),
    ApiScope.IDENTITIES_WRITE: N_("report UnionIDs: for the backend of a mini-program"),
    ApiScope.REPLIES_READ: N_("read replies"),
    ApiScope.REPLIES_RETRY: N_("send replies again"),
    ApiScope.EVENTS_READ: N_("read the history of events"),
    ApiScope.WEBHOOKS_WRITE: N_("read and change webhooks"),
    ApiScope.ALARMS_READ: N_("read alarms, thresholds and receivers"),
    ApiScope.ALARMS_WRITE: N_("change thresholds and receivers of alarms"),
    ApiScope.LINKS_READ: N_("read links and their opens"),
    ApiScope.LINKS_WRITE: N_("add and change links into mini-programs"),
    ApiScope.ARTICLES_WRITE: N_("add drafts of articles"),
    ApiScope.NOTICES_READ: N_("read notices and their templates"),
    ApiScope.NOTICES_WRITE: N_("send notices to people and audiences"),
    ApiScope.MENUS_READ: N_("read custom menus and taps on them"),
    ApiScope.MENUS_WRITE: N_("change and publish custom menus"),
    ApiScope.QRCODES_READ: N_("read QR codes and their figures"),
    ApiScope.QRCODES_WRITE: N_("add and change QR codes"),
    ApiScope.TAGS_READ: N_("read tags and how many followers have each"),
    ApiScope.TAGS_WRITE: N_("change tags, and tag followers"),
    ApiScope.ARRIVALS_READ: N_("read who came to mini-programs"),
    ApiScope.ARRIVALS_WRITE: N_("report arrivals: for the backend of a mini-program"),
    ApiScope.CAMPAIGNS_READ: N_("read campaigns and their figures"),
    ApiScope.CAMPAIGNS_WRITE: N_("add and change campaigns and their codes"),
    ApiScope.CODES_WRITE: N_("give people codes, and redeem codes: a shop needs this alone"),
    ApiScope.STATS_READ: N_("read figures"),
    ApiScope.CHART_NOTES_WRITE: N_("add and change notes on charts"),
    ApiScope.OPERATIONS_READ: N_("read health and metrics"),
}
LIFETIMES: Final = {
    "30": N_("30 days"),
    "90": N_("90 days"),
    "365": N_("one year"),
    "": N_("does not expire"),
}


class TokenForm(BaseModel):
    """A new token as typed. appids: one a line. days: until it expires; None: it does not."""

    name: str = Field(default="", max_length=1000)
    scopes: list[ApiScope] = Field(default=[], max_length=len(ApiScope))
    appids: str = Field(default="", max_length=10_000)
    days: Blank[Literal["30", "90", "365"]] = None

    @property
    def listed_appids(self) -> Sequence[str]:
        """The AppIDs."""
        return [appid for appid in re.split(r"[\s,，、;；]+", self.appids) if appid]


@router.get("")
async def show(
    request: Request,
    _visitor: Owner,
    session: SessionDep,
    done: Annotated[Blank[Literal["revoked"]], Query()] = None,
) -> Response:
    """List the tokens, with a form for a further one."""
    return await _list(request, session, TokenForm(days="365"), done=done)


@router.post("/add")
async def add(
    request: Request, visitor: Owner, session: SessionDep, form: Annotated[TokenForm, Form()]
) -> Response:
    """Add a token, and show its text once."""
    problems = problems_of(form)
    if problems:
        return await _list(request, session, form, problems=problems)
    now = request.app.state.clock.now()
    try:
        added, secret = await tokens.add(
            session,
            actor_of(request, visitor),
            form.name,
            form.scopes,
            form.listed_appids,
            expires_at=now + timedelta(days=int(form.days)) if form.days else None,
            now=now,
        )
    except (InvalidName, NameTaken) as error:
        return await _list(request, session, form, problems={"name": message_of(error)})
    except AccessError as error:
        return await _list(request, session, form, problems={"all": message_of(error)})
    return render(request, "operators/token.html", token=added, secret=secret)


@router.post("/revoke")
async def revoke(
    request: Request,
    visitor: Owner,
    session: SessionDep,
    name: Annotated[str, Form(max_length=1000)],
) -> Response:
    """Make a token invalid for good."""
    now = request.app.state.clock.now()
    try:
        await tokens.revoke(session, actor_of(request, visitor), name, now=now)
    except AccessError:
        raise errors.NotFound from None
    return RedirectResponse(console_path("/operators/tokens?done=revoked"), SEE_OTHER)


def problems_of(form: TokenForm) -> dict[str, str]:
    """Return a message for each field that is wrong."""
    problems = {}
    if not form.scopes:
        problems["scopes"] = N_("Choose what the token may do.")
    reports = not REPORTING_SCOPES.isdisjoint(form.scopes)
    if reports and not form.listed_appids:
        problems["appids"] = N_("Name the accounts about which it may report.")
    if form.listed_appids and APPID_SCOPES.isdisjoint(form.scopes):
        problems["appids"] = N_("AppIDs are only for reports and codes.")
    if any(re.fullmatch(APPID_PATTERN, appid) is None for appid in form.listed_appids):
        problems["appids"] = N_("An AppID is wx and 16 digits or letters a to f.")
    if len(form.listed_appids) > tokens.MAX_APPIDS:
        problems["appids"] = N_("A token has at most 100 AppIDs.")
    return problems


async def _list(
    request: Request,
    session: AsyncSession,
    form: TokenForm,
    *,
    problems: dict[str, str] | None = None,
    done: str | None = None,
) -> Response:
    settings: Settings = request.app.state.settings
    return render(
        request,
        "operators/tokens.html",
        status=422 if problems else 200,
        tokens=await tokens.read_all(session),
        now=request.app.state.clock.now(),
        admin_tokens=[fingerprint(one.get_secret_value()) for one in settings.admin_tokens],
        form=form,
        problems=problems or {},
        scopes=SCOPES,
        lifetimes=LIFETIMES,
        done=done,
    )
