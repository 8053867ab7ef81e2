"""The list of followers, the newest first, and the search for one person."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.console.followers import labels
from app.console.followers.references import references, tail
from app.console.form_values import Blank
from app.console.render import render
from app.console.signed_in import Viewer
from app.console.template_environment import console_path
from app.db.session import SessionDep
from app.identity import remarks
from app.identity import store as identity
from app.settings import Settings
from app.users.newest_followers import NewestQuery, newest_followers
from app.wechat.ids import AccountOpenId

router = APIRouter()

SEE_OTHER: Final = 303
PAGE_ROWS: Final = 50
MAX_ID_CHARACTERS: Final = 128
STATES: Final = {
    "yes": labels.FOLLOWING[True].label,
    "no": labels.FOLLOWING[False].label,
}


class ListQuery(BaseModel):
    """The filters in the address, and the cursor; an empty field does not filter."""

    appid: Blank[str] = Field(default=None, max_length=128)
    following: Blank[Literal["yes", "no"]] = None
    before: Blank[int] = Field(default=None, ge=1, le=2**63 - 1)

    def address(self, before: int | None) -> str:
        """Return the path of the list with these filters, and with another cursor."""
        values = self.model_dump() | {"before": before}
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"/followers?{query}" if query else "/followers"


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[ListQuery, Query()], session: SessionDep
) -> Response:
    """Show a page of the list."""
    return await _list(request, session, query)


@router.post("/find")
async def find(
    request: Request,
    _visitor: Viewer,
    session: SessionDep,
    person: Annotated[str, Form(max_length=4096)] = "",
) -> Response:
    """Open the person of an OpenID, a UnionID or a remark; list those who share a remark.

    It is a form, so that no address has what is looked for.
    """
    wanted = person.strip()
    found = await _find(request, session, wanted)
    if not found:
        return await _list(request, session, ListQuery(), person=wanted, is_unknown=True)
    if len(found) > 1:
        return await _namesakes(request, session, found, wanted)
    reference = (await references(session, request.app.state.settings)).make(*found[0])
    return RedirectResponse(console_path(f"/followers/person/{reference}"), SEE_OTHER)


async def _find(request: Request, session: AsyncSession, wanted: str) -> Sequence[AccountOpenId]:
    if not 0 < len(wanted) <= MAX_ID_CHARACTERS or "\0" in wanted:
        return []
    settings: Settings = request.app.state.settings
    accounts = settings.accounts.keys()
    found = await identity.with_openid(session, accounts, wanted)
    found = found or await identity.of_unionid(session, wanted, 1)
    if found:
        return [(found[0].appid, found[0].openid)]
    return await remarks.with_remark(session, accounts, wanted, PAGE_ROWS + 1)


async def _namesakes(
    request: Request, session: AsyncSession, people: Sequence[AccountOpenId], wanted: str
) -> Response:
    make = (await references(session, request.app.state.settings)).make
    shown = people[:PAGE_ROWS]
    return render(
        request,
        "followers/namesakes.html",
        remark=wanted,
        people=[(make(appid, openid), tail(openid), appid) for appid, openid in shown],
        is_cut=len(people) > len(shown),
    )


async def _list(
    request: Request,
    session: AsyncSession,
    query: ListQuery,
    *,
    person: str = "",
    is_unknown: bool = False,
) -> Response:
    settings: Settings = request.app.state.settings
    appids = list(settings.accounts)
    rows = await newest_followers(
        session,
        NewestQuery(
            [appid for appid in appids if query.appid in (None, appid)],
            None if query.following is None else query.following == "yes",
            query.before,
            PAGE_ROWS + 1,
        ),
    )
    shown = rows[:PAGE_ROWS]
    make = (await references(session, settings)).make
    return render(
        request,
        "followers/index.html",
        fragment="main" if is_unknown else "results",
        status=422 if is_unknown else 200,
        query=query,
        rows=[(make(row.appid, row.openid), tail(row.openid), row) for row in shown],
        newest=query.address(None) if query.before else None,
        older=query.address(shown[-1].position) if len(rows) > len(shown) else None,
        is_filtered=query != ListQuery(),
        accounts=[(appid, appid) for appid in appids],
        person=person,
        not_found=is_unknown,
        texts=labels,
        states=STATES,
    )
