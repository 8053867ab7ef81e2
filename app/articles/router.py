"""`/api/links/{id}/article-…`: the mini-program of a link in an article, and drafts with it."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, HTTPException, Request

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_errors import Detail
from app.api_route import BoundedRoute
from app.articles import examples
from app.articles.draft import MAYBE_DRAFTED, ArticleDrafter
from app.articles.place import BadArticle, markup_out, place
from app.articles.schemas import ArticleDraftIn, ArticleDraftOut, ArticleMarkupOut, ArticlePlacement
from app.articles.target import BadTarget
from app.db.engine import Database
from app.db.session import SessionDep
from app.links.http_errors import UNKNOWN, unknown, unprocessable
from app.links.make import LinkMaker
from app.links.models import Link
from app.links.schemas import LinkId
from app.settings import Settings
from app.wechat.errors import ApiError, TransportError
from app.wechat_client.refusal import REFUSED, refused

_CONFLICT: Final[dict[int | str, dict[str, Any]]] = {
    409: {
        "model": Detail,
        "description": "An article can't open what the link opens: change the link",
    }
}

router = APIRouter(prefix="/api/links", tags=["articles"], route_class=BoundedRoute)


@router.post(
    "/{link_id}/article-markup",
    responses=UNKNOWN | _CONFLICT,
    openapi_extra=needs(ApiScope.LINKS_READ),
)
async def get_article_markup(
    link_id: LinkId,
    wanted: Annotated[ArticlePlacement, Body(openapi_examples=examples.PLACEMENTS)],
    session: SessionDep,
) -> ArticleMarkupOut:
    """Return the HTML with which an article opens a link. It needs no call and stores nothing."""
    link = await session.get(Link, link_id)
    if link is None:
        raise unknown(link_id)
    try:
        return markup_out(place(link, wanted))
    except BadTarget as error:
        raise _conflict(error) from None


@router.post(
    "/{link_id}/article-draft",
    status_code=201,
    responses=UNKNOWN | REFUSED | _CONFLICT,
    openapi_extra=needs(ApiScope.ARTICLES_WRITE),
)
async def add_article_draft(
    link_id: LinkId,
    article: Annotated[ArticleDraftIn, Body(openapi_examples=examples.DRAFTS)],
    request: Request,
) -> ArticleDraftOut:
    """Add the draft of an article with the mini-program of a link at WeChat.

    WeChat is asked with a card first. When it refuses the content (45166), it is asked with a
    picture that is a link, and then with a text that is one.
    """
    settings: Settings = request.app.state.settings
    database: Database = request.app.state.database
    maker: LinkMaker = request.app.state.link_maker
    drafter = ArticleDrafter(
        database.sessions, maker.api, maker.tokens, settings.accounts, maker.clock
    )
    async with database.sessions() as session:
        link = await session.get(Link, link_id)
    if link is None:
        raise unknown(link_id)
    try:
        return await drafter.draft(actor_of(request), link, article)
    except BadArticle as error:
        raise unprocessable(error.field, str(error)) from None
    except BadTarget as error:
        raise _conflict(error) from None
    except TransportError as error:
        detail = MAYBE_DRAFTED if error.outcome_unknown else f"WeChat did not answer: {error}"
        raise HTTPException(502, detail) from None
    except ApiError as error:
        raise refused(error, maker.clock.now()) from None


def _conflict(error: BadTarget) -> HTTPException:
    return HTTPException(409, f"the link {error}")
