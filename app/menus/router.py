"""`/api/menus/{appid}`: the draft of an account's menus, its check and its difference."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Body, Query, Request

from app.access.caller import actor_of
from app.access.scopes import ApiScope, needs
from app.api_route import BoundedRoute
from app.clock import SHANGHAI, Clock
from app.db.engine import Database
from app.db.session import SessionDep
from app.menus import examples, present, store, taps
from app.menus.check import check_menu
from app.menus.document import Menu
from app.menus.errors import MenuError
from app.menus.http_errors import (
    CONFLICT,
    NOT_A_FOLLOWER,
    UNKNOWN,
    bad_days,
    conflict,
    invalid_menu,
    not_a_follower,
    official_account,
)
from app.menus.live_version import live_version
from app.menus.schemas import (
    AccountId,
    ChangeOut,
    DifferenceOut,
    DraftIn,
    DraftOut,
    FollowerIn,
    LeftOutButton,
    MenuCheckOut,
    ProblemOut,
    PublishIn,
    SeenMenu,
    TapDays,
    TapsOfDay,
    TapsOut,
    VersionOut,
)
from app.menus.wechat_menus import WeChatMenus
from app.settings import Settings
from app.wechat.errcodes import Language
from app.wechat.errors import ApiError
from app.wechat_client.refusal import REFUSED, refused

router = APIRouter(prefix="/api/menus", tags=["menus"], route_class=BoundedRoute)

DEFAULT_DAYS: Final = 30
MAX_DAYS: Final = 366

LanguageQuery = Annotated[Language, Query(description="Of `meaning` and `fix`")]


@router.get("/{appid}", responses=UNKNOWN, openapi_extra=needs(ApiScope.MENUS_READ))
async def get_menu(
    appid: AccountId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> DraftOut:
    """Read the draft of an account, what is wrong with it, and where its publications are."""
    official_account(request, appid)
    account = await store.read(session, appid, _now(request))
    publishing = await store.unfinished(session, appid)
    return DraftOut.of(account, publishing, _known(request), language)


@router.put("/{appid}", responses=UNKNOWN | CONFLICT, openapi_extra=needs(ApiScope.MENUS_WRITE))
async def replace_draft(
    appid: AccountId,
    draft: Annotated[DraftIn, Body(openapi_examples=examples.DRAFTS)],
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> DraftOut:
    """Replace the draft of an account. Followers see nothing of it until it is published.

    A draft that WeChat would refuse is stored; `problems` of the answer says what to correct.
    """
    official_account(request, appid)
    try:
        account = await store.save_draft(
            session,
            actor_of(request),
            appid,
            draft.menu,
            _now(request),
            revision=draft.revision,
        )
    except MenuError as error:
        raise conflict(error) from None
    publishing = await store.unfinished(session, appid)
    return DraftOut.of(account, publishing, _known(request), language)


@router.post("/{appid}/check", responses=UNKNOWN, openapi_extra=needs(ApiScope.MENUS_READ))
async def check(
    appid: AccountId,
    menu: Annotated[Menu, Body(openapi_examples=examples.MENUS)],
    request: Request,
    language: LanguageQuery = "en",
) -> MenuCheckOut:
    """Check a menu without storing it: what would WeChat refuse, and with which errcode?"""
    official_account(request, appid)
    found = check_menu(menu, _known(request))
    return MenuCheckOut(problems=[ProblemOut.of(each, language) for each in found])


@router.get(
    "/{appid}/difference",
    responses=UNKNOWN | CONFLICT | REFUSED,
    openapi_extra=needs(ApiScope.MENUS_READ),
)
async def get_difference(appid: AccountId, request: Request) -> DifferenceOut:
    """Ask WeChat what followers see now, and compare it with the draft button by button."""
    account = official_account(request, appid, calls_wechat=True)
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        draft = Menu.model_validate((await store.read(session, appid, _now(request))).draft)
        live = await live_version(session, appid)
    problems = [each for each in check_menu(draft, _known(request)) if each.errcode == BAD_PAGE]
    if problems:
        raise invalid_menu(problems)
    try:
        found = await present.read(_wechat(request), account, live)
    except ApiError as error:
        raise refused(error, _now(request)) from None
    return DifferenceOut(
        changes=[ChangeOut.of(each) for each in present.changes(found, draft, account, live)],
        is_menu_open=found.is_menu_open,
        from_console=found.from_console,
        left_out=[
            LeftOutButton(position=each.position, name=each.name, type=each.type, value=each.value)
            for each in found.left_out
        ],
    )


@router.post(
    "/{appid}/publish",
    status_code=202,
    responses=UNKNOWN | CONFLICT,
    openapi_extra=needs(ApiScope.MENUS_WRITE),
)
async def publish(
    appid: AccountId,
    wanted: Annotated[PublishIn, Body(openapi_examples=examples.REVISIONS)],
    request: Request,
    session: SessionDep,
    language: LanguageQuery = "en",
) -> VersionOut:
    """Publish the draft: the worker sends the default menu, then the conditional ones.

    Read the version to see what became of it. Before the first change what WeChat has is kept as a
    version of its own. WeChat shows the new menu to a follower within five minutes.
    """
    official_account(request, appid, calls_wechat=True)
    account = await store.read(session, appid, _now(request))
    found = check_menu(Menu.model_validate(account.draft), _known(request))
    blocking = [each for each in found if each.blocks]
    if blocking and account.revision == wanted.revision:
        raise invalid_menu(blocking)
    try:
        version = await store.publish(
            session, actor_of(request), appid, _now(request), revision=wanted.revision
        )
    except MenuError as error:
        raise conflict(error) from None
    return VersionOut.of(version, language)


@router.post(
    "/{appid}/undo",
    status_code=202,
    responses=UNKNOWN | CONFLICT,
    openapi_extra=needs(ApiScope.MENUS_WRITE),
)
async def undo(
    appid: AccountId, request: Request, session: SessionDep, language: LanguageQuery = "en"
) -> VersionOut:
    """Publish again what followers saw before the version that is live. Twice: the present one."""
    official_account(request, appid, calls_wechat=True)
    try:
        version = await store.undo(session, actor_of(request), appid, _now(request))
    except MenuError as error:
        raise conflict(error) from None
    return VersionOut.of(version, language)


@router.post(
    "/{appid}/trymatch",
    responses=UNKNOWN | CONFLICT | REFUSED,
    openapi_extra=needs(ApiScope.MENUS_READ),
)
async def try_match(
    appid: AccountId,
    follower: Annotated[FollowerIn, Body(openapi_examples=examples.FOLLOWERS)],
    request: Request,
) -> SeenMenu:
    """Ask WeChat which menu a follower sees."""
    account = official_account(request, appid, calls_wechat=True)
    try:
        button = await _wechat(request).try_match(account, follower.openid)
    except ApiError as error:
        if error.errcode == NOT_A_FOLLOWER:
            raise not_a_follower(error) from None
        raise refused(error, _now(request)) from None
    database: Database = request.app.state.database
    async with database.sessions.begin() as session:
        live = await live_version(session, appid)
    return SeenMenu(button=button, menu=present.which_menu(button, live))


@router.get("/{appid}/taps", responses=UNKNOWN, openapi_extra=needs(ApiScope.MENUS_READ))
async def get_taps(
    appid: AccountId, query: Annotated[TapDays, Query()], request: Request, session: SessionDep
) -> TapsOut:
    """Read how often each button was tapped, by day and version. Taps are counted each minute."""
    official_account(request, appid)
    until = query.until or _now(request).astimezone(SHANGHAI).date()
    since = query.since or until - timedelta(days=DEFAULT_DAYS - 1)
    if since > until or (until - since).days >= MAX_DAYS:
        raise bad_days(f"must be before `until`, by less than {MAX_DAYS} days")
    found = await taps.taps(session, appid, since, until)
    return TapsOut(
        items=[
            TapsOfDay(day=one.day, version=one.number, position=one.position, taps=one.count)
            for one in found
        ]
    )


# Pages whose placeholders can't be filled can't be compared, either.
BAD_PAGE = 40165


def _known(request: Request) -> frozenset[str]:
    settings: Settings = request.app.state.settings
    return settings.mini_programs


def _wechat(request: Request) -> WeChatMenus:
    wechat: WeChatMenus = request.app.state.wechat_menus
    return wechat


def _now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock.now()
