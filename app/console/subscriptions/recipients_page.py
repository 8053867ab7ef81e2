"""Who may still be sent subscription notifications: counted by template, and listed for one."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.console.followers.references import NoReference, References, references, tail
from app.console.form_values import Blank
from app.console.render import render
from app.console.signed_in import Viewer
from app.db.session import SessionDep
from app.settings import Settings
from app.users import recipients
from app.users.recipients import MAX_COUNTED, RecipientsPage, RecipientsQuery

router = APIRouter(prefix="/recipients")

PAGE_ROWS: Final = 50
PATH: Final = "/subscriptions/recipients"


class ListQuery(BaseModel):
    """Account and template of the list, and where the page before ended.

    after: a reference, since the address is not to have an OpenID.
    """

    appid: Blank[str] = Field(default=None, max_length=128)
    template: Blank[str] = Field(default=None, max_length=200, pattern=r"^[^\x00]*$")
    after: Blank[str] = Field(default=None, max_length=1000)

    def address(self, **changes: str | None) -> str:
        """Return the path of the page with these fields, some of them changed."""
        values = self.model_dump() | changes
        query = urlencode({name: value for name, value in values.items() if value is not None})
        return f"{PATH}?{query}" if query else PATH


@router.get("")
async def show(
    request: Request, _visitor: Viewer, query: Annotated[ListQuery, Query()], session: SessionDep
) -> Response:
    """Show the templates with their numbers of people, or the people of one template."""
    settings: Settings = request.app.state.settings
    appids = [appid for appid in settings.accounts if query.appid in (None, appid)]
    is_list = query.template is not None and query.appid is not None and bool(appids)
    make = await references(session, settings)
    found = RecipientsPage([], None)
    if is_list and query.template is not None:
        wanted = RecipientsQuery(
            appids[0], query.template, _openid_of(make, query.after), PAGE_ROWS
        )
        found = await recipients.recipients(session, wanted)
    last = None if found.next is None else make.make(appids[0], found.next)
    return render(
        request,
        "subscriptions/recipients.html",
        fragment="results",
        query=query,
        accounts=[(appid, appid) for appid in settings.accounts],
        is_list=is_list,
        templates=[] if is_list else await recipients.by_template(session, appids),
        most=MAX_COUNTED,
        rows=[(make.make(one.appid, one.openid), tail(one.openid), one) for one in found.items],
        newest=query.address(after=None) if query.after else None,
        older=query.address(after=last) if last is not None else None,
    )


def _openid_of(made: References, after: str | None) -> str | None:
    """Return where the page before ended; the first page if the reference can't be read."""
    if after is None:
        return None
    try:
        return made.read(after)[1]
    except NoReference:
        return None
