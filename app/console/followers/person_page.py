"""One person over all accounts: OpenIDs, state, consents, what happened; and their erasure."""

from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.access import audit
from app.access.actions import Action
from app.access.actor import Subject, SubjectKind
from app.access.sessions import SignedIn
from app.console.errors import NotFound
from app.console.followers import labels
from app.console.followers.references import NoReference, references, tail
from app.console.form_values import Blank
from app.console.message_pages.labels import KINDS
from app.console.render import render
from app.console.signed_in import Owner, Viewer
from app.console.template_environment import console_path
from app.console.visitor import actor_of
from app.db.session import SessionDep
from app.events import cursor
from app.events.cursor import ByTime
from app.identity import remarks
from app.identity import store as identity
from app.identity.models import OpenIdRow
from app.identity.schemas import OpenIdOut
from app.privacy import from_operator
from app.tombstones.erasure_secret import erasure_secret
from app.tombstones.pseudonyms import pseudonyms
from app.tombstones.subject import PREFIX
from app.users.read import TimelinePage, read_user, rows_of
from app.wechat.ids import AccountOpenId

router = APIRouter()

SEE_OTHER: Final = 303
TIMELINE_ROWS: Final = 50


class PersonQuery(BaseModel):
    """Where the page before of the timeline ended."""

    before: Blank[str] = Field(default=None, max_length=80)

    def page(self) -> TimelinePage:
        """Return the part of the timeline; the first one if the cursor can't be read."""
        try:
            position = None if self.before is None else cursor.read(self.before)
        except ValueError:
            position = None
        return TimelinePage(position if isinstance(position, ByTime) else None, TIMELINE_ROWS)


class Identity(NamedTuple):
    """An OpenID as the page shows it. reference: for links; tail: its last characters."""

    reference: str
    tail: str
    row: OpenIdOut


def confirmation_of(openid: str) -> str:
    """Return what has to be typed before the person is erased: it shows that it is this one."""
    return tail(openid) or "ERASE"


@router.get("/person/{reference}")
async def show(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    reference: str,
    query: Annotated[PersonQuery, Query()],
) -> Response:
    """Show a person."""
    return await _person(request, session, reference, query)


@router.post("/person/{reference}/openid")
async def show_openid(
    request: Request, visitor: Viewer, session: SessionDep, reference: str
) -> Response:
    """Show an OpenID, and write down who has seen it."""
    row = await _row(request, session, reference)
    await _write_down(request, session, visitor, row)
    return render(request, "shown.html", value=row.openid)


@router.post("/person/{reference}/unionid")
async def show_unionid(
    request: Request, visitor: Viewer, session: SessionDep, reference: str
) -> Response:
    """Show a UnionID, and write down who has seen it."""
    row = await _row(request, session, reference)
    if row.unionid is None:
        raise NotFound
    await _write_down(request, session, visitor, row)
    return render(request, "shown.html", value=row.unionid)


@router.post("/person/{reference}/remark")
async def show_remark(
    request: Request, visitor: Viewer, session: SessionDep, reference: str
) -> Response:
    """Show what operators call a person in WeChat's console, and write down who has seen it."""
    row = await _row(request, session, reference)
    found = await remarks.of_people(session, [(row.appid, row.openid)])
    if not found:
        raise NotFound
    await _write_down(request, session, visitor, row)
    return render(request, "shown.html", value=found[row.appid, row.openid])


@router.post("/person/{reference}/erase")
async def erase(
    request: Request,
    visitor: Owner,
    session: SessionDep,
    reference: str,
    confirmation: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Open the erasure of a person at all accounts."""
    appid, openid = await _openid_of(request, session, reference)
    if confirmation.strip() != confirmation_of(openid):
        return await _person(request, session, reference, PersonQuery(), is_unconfirmed=True)
    erasure_id = await from_operator.erase_openid(
        session,
        appid,
        openid,
        actor=actor_of(request, visitor),
        now=request.app.state.clock.now(),
    )
    if erasure_id is None:
        raise NotFound
    return RedirectResponse(console_path(f"/followers/erasures/{erasure_id}"), SEE_OTHER)


async def _person(
    request: Request,
    session: AsyncSession,
    reference: str,
    query: PersonQuery,
    *,
    is_unconfirmed: bool = False,
) -> Response:
    row = await _row(request, session, reference)
    now = request.app.state.clock.now()
    person = await read_user(session, row.unionid, await rows_of(session, row), query.page(), now)
    make = (await references(session, request.app.state.settings)).make
    path = f"/followers/person/{reference}"
    older = person.timeline.next
    return render(
        request,
        "followers/person.html",
        fragment="main" if is_unconfirmed else "timeline",
        status=422 if is_unconfirmed else 200,
        path_here=path,
        is_unconfirmed=is_unconfirmed,
        person=person,
        tail=tail(row.openid),
        identities=[
            Identity(make(one.appid, one.openid), tail(one.openid), one) for one in person.openids
        ],
        newest=path if query.before else None,
        older=f"{path}?before={older}" if older else None,
        confirmation=confirmation_of(row.openid),
        texts=labels,
        kinds=KINDS,
    )


async def _row(request: Request, session: AsyncSession, reference: str) -> OpenIdRow:
    """Return what is known of the OpenID that a reference means. Raises NotFound."""
    appid, openid = await _openid_of(request, session, reference)
    row = await identity.of_openid(session, appid, openid)
    if row is None:
        raise NotFound
    return row


async def _openid_of(request: Request, session: AsyncSession, reference: str) -> AccountOpenId:
    """Return the AppID and the OpenID that a reference means. Raises NotFound."""
    try:
        return (await references(session, request.app.state.settings)).read(reference)
    except NoReference:
        raise NotFound from None


async def _write_down(
    request: Request, session: AsyncSession, visitor: SignedIn, row: OpenIdRow
) -> None:
    names = await pseudonyms(session, erasure_secret(request.app.state.settings))
    pseudonym = names.of_openid(row.appid, row.openid).removeprefix(PREFIX)
    await audit.record(
        session,
        actor_of(request, visitor),
        Action.FOLLOWER_SHOWN,
        Subject(SubjectKind.FOLLOWER, pseudonym),
        now=request.app.state.clock.now(),
    )
