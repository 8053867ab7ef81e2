"""`/api/recipients`, `/api/stats/recipients`: who may still be sent subscription notifications."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.db.session import SessionDep
from app.events.schemas import ConsentOut
from app.identity.schemas import WeChatId
from app.users import recipients
from app.users.recipients import MAX_COUNTED, RecipientsQuery

MAX_PAGE_ROWS = 500

router = APIRouter(prefix="/api", tags=["users"], route_class=ScopedRoute)


class _Of(ApiModel):
    model_config = ConfigDict(extra="forbid")

    appid: WeChatId | None = Field(
        default=None, description="one account; default: all configured accounts"
    )


class _Page(ApiModel):
    model_config = ConfigDict(extra="forbid")

    appid: WeChatId
    """The account."""
    template_id: WeChatId
    """The template, as `GET /api/stats/recipients` names it."""
    after: WeChatId | None = Field(default=None, description="`next` of the page before")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE_ROWS)
    """At most so many people."""


class TemplateRecipientsOut(ApiModel):
    """How many people may still be sent notifications of a template."""

    model_config = ConfigDict(from_attributes=True)

    appid: str
    """The account."""
    template_id: str
    """The template."""
    people: int = Field(description=f"so many people; {MAX_COUNTED} may mean more")


class TemplateRecipientsList(ApiModel):
    """Every template that somebody may be sent."""

    items: list[TemplateRecipientsOut]
    """The templates, at most 100."""


class RecipientPage(ApiModel):
    """People by OpenID. Where many consents are reserved, a page has fewer than `limit`."""

    items: list[ConsentOut]
    """The consents, which allow at least one send each."""
    next: str | None
    """Pass it as `after` for the next page; null on the last page."""


@router.get("/stats/recipients", openapi_extra=needs(ApiScope.STATS_READ))
async def count_recipients(
    query: Annotated[_Of, Query()], session: SessionDep, request: Request
) -> TemplateRecipientsList:
    """Count by template who may still be sent subscription notifications."""
    appids = list(request.app.state.settings.accounts) if query.appid is None else [query.appid]
    counted = await recipients.by_template(session, appids)
    return TemplateRecipientsList(
        items=[TemplateRecipientsOut.model_validate(one) for one in counted]
    )


@router.get("/recipients", openapi_extra=needs(ApiScope.PEOPLE_READ))
async def list_recipients(query: Annotated[_Page, Query()], session: SessionDep) -> RecipientPage:
    """List who may still be sent subscription notifications of a template."""
    found = await recipients.recipients(
        session, RecipientsQuery(query.appid, query.template_id, query.after, query.limit)
    )
    return RecipientPage(items=found.items, next=found.next)
