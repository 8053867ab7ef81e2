"""`/api/templates`: the templates that accounts have at WeChat, and the values that they take."""

from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from pydantic import ConfigDict, Field

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.api_route import BoundedRoute
from app.db.engine import Database
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.notices import examples, template_store
from app.notices.accounts import NOT_SENDING, can_send
from app.notices.http_errors import unprocessable
from app.notices.list_templates import TemplateLister
from app.notices.schemas import TemplateList, TemplateOut, TemplatesRefresh
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.refusal import REFUSED, refused

router = APIRouter(prefix="/api/templates", tags=["notices"], route_class=BoundedRoute)


class _Of(ApiModel):
    model_config = ConfigDict(extra="forbid")

    appid: WeChatId | None = Field(
        default=None, description="one account; default: all configured accounts"
    )


@router.get("", openapi_extra=needs(ApiScope.NOTICES_READ))
async def list_templates(
    query: Annotated[_Of, Query()], session: SessionDep, request: Request
) -> TemplateList:
    """List the templates as WeChat listed them last."""
    appids = list(request.app.state.settings.accounts) if query.appid is None else [query.appid]
    found = await template_store.templates(session, appids)
    return TemplateList(items=[TemplateOut.of(one) for one in found])


@router.post("/refresh", responses=REFUSED, openapi_extra=needs(ApiScope.NOTICES_WRITE))
async def refresh_templates(
    wanted: Annotated[TemplatesRefresh, Body(openapi_examples=examples.REFRESH)],
    request: Request,
) -> TemplateList:
    """Read the templates of an account from WeChat, and list them."""
    state = request.app.state
    if not can_send(state.settings.accounts, wanted.appid):
        raise unprocessable("appid", NOT_SENDING)
    lister: TemplateLister = state.template_lister
    try:
        await lister.refresh(AppId(wanted.appid), actor_of(request))
    except ApiError as error:
        raise refused(error, state.clock.now()) from None
    database: Database = state.database
    async with database.sessions() as session:
        found = await template_store.templates(session, [wanted.appid])
        return TemplateList(items=[TemplateOut.of(one) for one in found])
