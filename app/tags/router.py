"""`/api/tags`: the tags of Official Accounts, and jobs that tag many followers."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_route import BoundedRoute
from app.clock import Clock
from app.db.engine import Database
from app.db.session import SessionDep
from app.identity.schemas import WeChatId
from app.tags import examples, people, run_store, store
from app.tags.accounts import NO_ACCOUNT, account_for
from app.tags.change_tags import TagChanger
from app.tags.errors import TagError
from app.tags.http_errors import CONFLICT, UNKNOWN, failed, refused, unprocessable
from app.tags.models import Tag
from app.tags.schemas import (
    PullIn,
    TagCount,
    TagCountIn,
    TagId,
    TagIn,
    TagName,
    TagOut,
    TagPeopleIn,
    TagRunOut,
    TagRunStarted,
    TagsOut,
)
from app.wechat.errcodes import Language
from app.wechat.errors import ApiError
from app.wechat_client.refusal import REFUSED

router = APIRouter(prefix="/api/tags", tags=["tags"], route_class=BoundedRoute)

NOBODY = "name nobody who is known at this account: run a follower sync first"

AppIdQuery = Annotated[
    WeChatId | None,
    Query(description="AppID of the Official Account; left out, that of WECHAT_APPID"),
]
LanguageQuery = Annotated[Language, Query(description="Of `meaning` and `fix`")]


@router.get("", openapi_extra=needs(ApiScope.TAGS_READ))
async def list_tags(request: Request, session: SessionDep, appid: AppIdQuery = None) -> TagsOut:
    """List the tags of an account as they were read last."""
    account = _account(request, appid, "query")
    known = await store.known_people(session, account)
    return TagsOut(
        items=[
            _out(tag, known.get(tag.tag_id, 0)) for tag in await store.of_account(session, account)
        ]
    )


@router.post(
    "", status_code=201, responses=CONFLICT | REFUSED, openapi_extra=needs(ApiScope.TAGS_WRITE)
)
async def create_tag(
    tag: Annotated[TagIn, Body(openapi_examples=examples.TAGS)], request: Request
) -> TagOut:
    """Create a tag at WeChat. An account can have 100."""
    appid = _account(request, tag.appid)
    try:
        added = await _changer(request).create(actor_of(request), appid, tag.name)
    except ApiError as error:
        raise refused(error, _now(request)) from None
    return _out(added, 0)


@router.post("/pull", status_code=202, responses=CONFLICT, openapi_extra=needs(ApiScope.TAGS_WRITE))
async def pull_tags(
    wanted: Annotated[PullIn, Body(openapi_examples=examples.PULLS)],
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> TagRunOut:
    """Read the tags of an account from WeChat, and who has each: with one call for 10,000 people.

    People who are not known here are left out: run a follower sync first.
    """
    appid = _account(request, wanted.appid)
    try:
        run = await run_store.start_pull(session, actor_of(request), appid, _now(request))
    except TagError as error:
        raise failed(error) from None
    return TagRunOut.of(run, language)


@router.post("/count", openapi_extra=needs(ApiScope.TAGS_READ))
async def count_people(
    wanted: Annotated[TagCountIn, Body(openapi_examples=examples.COUNTS)],
    request: Request,
    session: SessionDep,
) -> TagCount:
    """Count the followers that match a filter now."""
    appid = _account(request, wanted.appid)
    return TagCount(people=await people.count(session, appid, wanted.filter))


@router.put(
    "/{tag_id}/name",
    responses=UNKNOWN | CONFLICT | REFUSED,
    openapi_extra=needs(ApiScope.TAGS_WRITE),
)
async def rename_tag(
    tag_id: TagId,
    change: Annotated[TagName, Body(openapi_examples=examples.NAMES)],
    request: Request,
    appid: AppIdQuery = None,
) -> TagOut:
    """Give a tag another name at WeChat."""
    account = _account(request, appid, "query")
    try:
        await _changer(request).rename(actor_of(request), account, tag_id, change.name)
    except TagError as error:
        raise failed(error) from None
    except ApiError as error:
        raise refused(error, _now(request)) from None
    database: Database = request.app.state.database
    async with database.sessions() as session:
        known = await store.known_people(session, account)
        return _out(await session.get_one(Tag, (account, tag_id)), known.get(tag_id, 0))


@router.delete(
    "/{tag_id}",
    status_code=204,
    responses=UNKNOWN | CONFLICT | REFUSED,
    openapi_extra=needs(ApiScope.TAGS_WRITE),
)
async def delete_tag(tag_id: TagId, request: Request, appid: AppIdQuery = None) -> None:
    """Delete a tag at WeChat: its followers lose it, and no conditional menu finds them by it."""
    account = _account(request, appid, "query")
    try:
        await _changer(request).delete(actor_of(request), account, tag_id)
    except TagError as error:
        raise failed(error) from None
    except ApiError as error:
        raise refused(error, _now(request)) from None


@router.post(
    "/{tag_id}/people",
    status_code=202,
    responses=UNKNOWN | CONFLICT,
    openapi_extra=needs(ApiScope.TAGS_WRITE),
)
async def tag_people(
    tag_id: TagId,
    wanted: Annotated[TagPeopleIn, Body(openapi_examples=examples.PEOPLE)],
    request: Request,
    session: SessionDep,
    appid: AppIdQuery = None,
    language: LanguageQuery = "en",
) -> TagRunStarted:
    """Tag or untag people: the worker does it in calls for 50 people each.

    Read the run to see how far it is. The runs of an account are carried out one after the other.
    """
    account = _account(request, appid, "query")
    now = _now(request)
    try:
        async with session.begin_nested():
            started = await run_store.start(
                session, actor_of(request), account, tag_id, wanted, now
            )
    except TagError as error:
        raise failed(error) from None
    if started.run.total == 0:
        field = "openids" if wanted.openids is not None else "unionids"
        raise unprocessable(field, NOBODY)
    members = TagRunOut.of(started.run, language).model_dump()
    return TagRunStarted(**members, unknown=list(started.unknown))


def _account(request: Request, appid: str | None, part: str = "body") -> str:
    account = account_for(appid, request.app.state.settings)
    if account is None:
        raise unprocessable("appid", NO_ACCOUNT, part)
    return account


def _out(tag: Tag, known: int) -> TagOut:
    return TagOut(
        appid=tag.appid,
        tag_id=tag.tag_id,
        name=tag.name,
        people=tag.people,
        known=known,
        listed_at=tag.listed_at,
    )


def _changer(request: Request) -> TagChanger:
    changer: TagChanger = request.app.state.tag_changer
    return changer


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
